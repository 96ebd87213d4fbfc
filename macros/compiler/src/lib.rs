//! The compiler of Diabolo.
