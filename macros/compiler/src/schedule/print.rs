//! The plan in words.
use super::Schedule;

/// The text of a schedule.
pub fn print(_schedule: &Schedule) -> String {
    String::new()
}
