// Several neighbouring elements by one load. Only where the planner says so (VECTOR0 >= count, see Kernel::vectors): then
// the index is a multiple of the count and the address of 16 bytes (8 for four halves).
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Words4 { uvec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 8) readonly buffer Words2 { uvec2 v[]; };

vec4 load4_F32(F32 b, uint i) { return uintBitsToFloat(Words4(b).v[i / 4]); }
#ifdef USES_16
vec4 load4_F16(F16 b, uint i) {
    const uvec2 x = Words2(b).v[i / 4];
    return vec4(unpackHalf2x16(x.x), unpackHalf2x16(x.y));
}
vec4 load4_BF16(BF16 b, uint i) {
    const uvec2 x = Words2(b).v[i / 4];
    return uintBitsToFloat(uvec4(x.x << 16, x.x & 0xffff0000u, x.y << 16, x.y & 0xffff0000u));
}
// Eight halves as they lie.
uvec4 words8_F16(F16 b, uint i) { return Words4(b).v[i / 8]; }
#endif
