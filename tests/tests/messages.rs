//! What mistakes look like: each file of `ui/` does not compile, and says why as the file beside it has it.
//!
//! After a change of words, `TRYBUILD=overwrite cargo test -p diabolo-tests --test messages` writes them anew.

#[test]
fn mistakes_look_as_written() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
