# Short names for what is typed often.
check:
    bash .ci/run
test:
    cargo test --workspace
first:
    cargo run --release --example first
bless:
    DIABOLO_BLESS=1 cargo test -p diabolo-compiler
