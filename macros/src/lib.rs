//! The attributes of Diabolo.
