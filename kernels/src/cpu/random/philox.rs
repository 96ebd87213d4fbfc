//! Philox4x32-10. In: counter and key. Out: four words of random bits, or the lanes of 16 counters.
//! Never: state.
use super::Stream;

/// Counter blocks computed in parallel: 16 words are an AVX-512 register.
pub(super) const GROUP: usize = 16;

const ROUNDS: usize = 10;
const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One block of Philox4x32-10: four random words from a counter and a key.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    rounds(counter.map(|word| [word]), key).map(|lane| lane[0])
}

/// The four lanes of the counter blocks `block..block + 16` of a stream.
#[inline(always)]
pub(super) fn philox_group(stream: Stream, block: u32) -> [[u32; GROUP]; 4] {
    let mut blocks = [0; GROUP];
    for (i, word) in blocks.iter_mut().enumerate() {
        *word = block.wrapping_add(i as u32);
    }
    let step = [stream.step as u32, (stream.step >> 32) as u32];
    let counter = [blocks, [stream.site; GROUP], [step[0]; GROUP], [step[1]; GROUP]];
    rounds(counter, [stream.seed as u32, (stream.seed >> 32) as u32])
}

#[inline(always)]
fn rounds<const N: usize>(mut c: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    for _ in 0..ROUNDS {
        let mut next = [[0; N]; 4];
        for i in 0..N {
            let a = u64::from(MULTIPLIER[0]) * u64::from(c[0][i]);
            let b = u64::from(MULTIPLIER[1]) * u64::from(c[2][i]);
            next[0][i] = (b >> 32) as u32 ^ c[1][i] ^ key[0];
            next[1][i] = b as u32;
            next[2][i] = (a >> 32) as u32 ^ c[3][i] ^ key[1];
            next[3][i] = a as u32;
        }
        c = next;
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    c
}
