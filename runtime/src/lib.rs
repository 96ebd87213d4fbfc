//! Diabolo.
