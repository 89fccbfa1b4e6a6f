// Numbers as unsigned integers of the same order. Both zeros are equal, every NaN lies above all numbers.
uint sort_key(float x) {
    const uint bits = floatBitsToUint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0xffffffffu;
    if ((bits & 0x7fffffffu) == 0u) return 0x80000000u;
    return (bits >> 31) != 0u ? ~bits : bits | 0x80000000u;
}
uint sort_key(int x) { return uint(x) ^ 0x80000000u; }
uint sort_key(uint x) { return x; }
