//! Random numbers: those of the CPU, bit for bit.
use std::collections::BTreeMap;

use diabolo_cuda_tests::{emulator, play, same, tape};
use diabolo_kernels::cuda::emulate::Memory;
use diabolo_kernels::cuda::{Argument, Clock, Launch, Pointer, Space};
use diabolo_kernels::random::{self, Stream};

const TEXT: &str = r#"
extern "C" __global__ void draw(T *to, long long row, long long rows, unsigned int site, const Clock *clock) {
    for (long long i = grid_start(); i < row * rows; i += grid_step()) {
        const unsigned long long start = clock->first_row + i / row;
        const unsigned long long number = start * row + i % row;
        to[i] = random_uniform(clock, site, number);
        to[row * rows + i] = random_normal(clock, site, number);
    }
}
"#;

#[test]
fn numbers_are_those_of_the_cpu() {
    let Some(emulator) = emulator(&[TEXT], true) else { return };
    // Rows whose numbers begin at each lane; and far out, where the count of blocks wraps.
    for (row, rows, first_row, seed, step, site) in [
        (1, 200_000, 0, 7, 0, 0),
        (7, 300, 5, 0x0123_4567_89ab_cdef, 0x1_0000_0007, 42),
        (20, 128, 1_000_003, u64::MAX, u64::MAX, u32::MAX),
        (3, 50, (1 << 34) / 3 - 20, 1, 1, 1),
    ] {
        let count = row * rows;
        let arguments = vec![
            Argument::Output(Pointer::new(Space::Outputs)),
            Argument::Size(row),
            Argument::Size(rows),
            Argument::Site(site),
            Argument::Clock,
        ];
        let launch = Launch { kernel: "draw", blocks: [5, 1, 1], threads: 96, arguments };
        let memory = Memory {
            spaces: BTreeMap::from([(Space::Outputs, vec![0.0; 2 * count])]),
            clock: Clock { seed, step, first_row },
        };
        let memory = play(&emulator, &tape(vec![launch]), &memory);
        let (uniform, normal) = memory.spaces[&Space::Outputs].split_at(count);
        let (stream, start) = (Stream { seed, step, site }, first_row * row as u64);
        let mut want = vec![0.0; count];
        random::uniform(stream, start, &mut want);
        assert!(same(&want, uniform), "uniform numbers from {start} on");
        random::normal(stream, start, &mut want);
        assert!(same(&want, normal), "normal numbers from {start} on");
    }
}
