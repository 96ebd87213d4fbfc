//! Philox4x32-10. In: counter and key. Out: four words of random bits, or the lanes of 16 counters.
//! Never: state.
use super::Stream;

/// Counter blocks computed in parallel: 16 words are an AVX-512 register.
pub(super) const GROUP: usize = 16;

const ROUNDS: usize = 10;
const MULTIPLIER: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One block of Philox4x32-10: four random words from a counter and a key.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [c0, c1, c2, c3] = counter.map(u64::from);
    rounds([c0, c1, c2, c3], &key_schedule(key)).map(|word| word as u32)
}

/// The counter blocks `block..block + 16` of a stream, as pairs of words in the order of their elements,
/// the first of a pair in the low half.
///
/// Each block goes through all rounds on its own, so that LLVM makes the blocks the lanes of vectors and
/// keeps them in registers.
#[inline(always)]
pub(super) fn philox_group(stream: Stream, block: u32) -> [u64; 2 * GROUP] {
    let keys = key_schedule([stream.seed as u32, (stream.seed >> 32) as u32]);
    let (site, step) = (u64::from(stream.site), stream.step);
    let mut first = [0; GROUP];
    let mut second = [0; GROUP];
    for i in 0..GROUP {
        let counter = u64::from(block.wrapping_add(i as u32));
        let [a, b, c, d] = rounds([counter, site, step & LOW, step >> 32], &keys);
        first[i] = a & LOW | b << 32;
        second[i] = c & LOW | d << 32;
    }
    let mut pairs = [0; 2 * GROUP];
    for i in 0..GROUP {
        pairs[2 * i] = first[i];
        pairs[2 * i + 1] = second[i];
    }
    pairs
}

const LOW: u64 = 0xffff_ffff;

#[inline(always)]
fn key_schedule(key: [u32; 2]) -> [[u64; 2]; ROUNDS] {
    let mut keys = [[0; 2]; ROUNDS];
    for r in 0..ROUNDS as u32 {
        for w in 0..2 {
            keys[r as usize][w] = u64::from(key[w].wrapping_add(WEYL[w].wrapping_mul(r)));
        }
    }
    keys
}

/// The rounds, on words in the low halves of 64 bits, where the products need them. The high halves hold no
/// meaning, and the multiplication of vectors (`vpmuludq`) ignores them anyway.
#[inline(always)]
fn rounds(counter: [u64; 4], keys: &[[u64; 2]; ROUNDS]) -> [u64; 4] {
    let [mut x0, mut x1, mut x2, mut x3] = counter;
    for [k0, k1] in keys {
        let a = MULTIPLIER[0] * (x0 & LOW);
        let b = MULTIPLIER[1] * (x2 & LOW);
        (x0, x1, x2, x3) = ((b >> 32) ^ x1 ^ k0, b, (a >> 32) ^ x3 ^ k1, a);
    }
    [x0, x1, x2, x3]
}
