// Random numbers by counter: the twin of kernels/src/cpu/random. In: the clock, a site, an element's number. Out: the
// CPU's numbers, bit for bit. Never: state, or a fused multiply-add.

/// The words of a Philox4x32-10 block.
struct RandomWords {
    unsigned int word[4];
};

/// The block of four words that belongs to a counter.
DEVICE RandomWords random_words(const Clock *clock, unsigned int site, unsigned int block) {
    unsigned int k0 = (unsigned int)clock->seed, k1 = (unsigned int)(clock->seed >> 32);
    unsigned int x0 = block, x1 = site, x2 = (unsigned int)clock->step, x3 = (unsigned int)(clock->step >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const unsigned long long a = 0xD2511F53ull * x0, b = 0xCD9E8D57ull * x2;
        x0 = (unsigned int)(b >> 32) ^ x1 ^ k0;
        x1 = (unsigned int)b;
        x2 = (unsigned int)(a >> 32) ^ x3 ^ k1;
        x3 = (unsigned int)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    RandomWords words = {{x0, x1, x2, x3}};
    return words;
}

/// (k + ½)·2⁻²³ from the high 23 bits k of a word: in (0, 1).
DEVICE float random_unit(unsigned int word) {
    return __uint_as_float(0x3f800000u | (word >> 9)) - (1.0f - 0.5f / 8388608.0f);
}

/// The logarithm of a uniform number.
DEVICE float random_log(float u) {
    const unsigned int bits = __float_as_uint(u) - 0x3f3504f3u;
    const float k = (float)((int)bits >> 23);
    const float f = __uint_as_float((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    const float z = f * f;
    float p = 7.0376836e-2f * f - 1.151461e-1f;
    p = p * f + 1.1676999e-1f;
    p = p * f - 1.2420141e-1f;
    p = p * f + 1.4249323e-1f;
    p = p * f - 1.6668058e-1f;
    p = p * f + 2.0000715e-1f;
    p = p * f - 2.4999994e-1f;
    p = p * f + 3.333333e-1f;
    const float tail = f * z * p + k * -2.1219444e-4f;
    return (f + (tail - 0.5f * z)) + k * 0.6933594f;
}

/// One of two independent standard normal numbers from two uniform ones in (0, 1): the second where `odd`.
DEVICE float random_pair(float u, float v, bool odd) {
    const float radius = sqrtf(-2.0f * random_log(u));
    // 4v = quadrant + t with |t| ≤ ½, exactly; the angle is t·π/2.
    const float shifted = 4.0f * v + 12582912.0f;
    const unsigned int quadrant = __float_as_uint(shifted);
    const float r = (4.0f * v - (shifted - 12582912.0f)) * 1.57079632679f;
    const float z = r * r;
    const float sine = r + r * z * (-1.6666655e-1f + z * (8.332161e-3f + z * -1.9515296e-4f));
    const float cosine = 1.0f - 0.5f * z + z * z * (4.1666646e-2f + z * (-1.3887316e-3f + z * 2.4433157e-5f));
    // The sine of an odd quadrant is a cosine, and the other way round.
    const bool swap = (quadrant & 1u) != 0u;
    const float y = swap == odd ? cosine : sine;
    // The cosine is negative in quadrants 1 and 2, the sine in 2 and 3.
    const unsigned int turn = odd ? quadrant : quadrant + 1u;
    return radius * __uint_as_float(__float_as_uint(y) ^ ((turn & 2u) << 30));
}

/// The uniform number in (0, 1) of an element.
DEVICE T random_uniform(const Clock *clock, unsigned int site, unsigned long long number) {
    const RandomWords words = random_words(clock, site, (unsigned int)(number >> 2));
    const unsigned int lane = (unsigned int)number & 3u;
    const unsigned int low = (lane & 1u) != 0u ? words.word[1] : words.word[0];
    const unsigned int high = (lane & 1u) != 0u ? words.word[3] : words.word[2];
    return random_unit((lane & 2u) != 0u ? high : low);
}

/// The standard normal number of an element.
DEVICE T random_normal(const Clock *clock, unsigned int site, unsigned long long number) {
    const RandomWords words = random_words(clock, site, (unsigned int)(number >> 2));
    const bool high = (number & 2u) != 0u;
    const float u = random_unit(high ? words.word[2] : words.word[0]);
    const float v = random_unit(high ? words.word[3] : words.word[1]);
    return random_pair(u, v, (number & 1u) != 0u);
}
