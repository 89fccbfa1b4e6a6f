// Four neighbours in the type that a product's tiles have in shared memory: floats, or with HALF_TILES halves where both inputs are halves
// as they lie in memory (HALVES0, HALVES1), so that no value changes and shared memory holds and moves half as much.
//     Quad QUAD0(p.a, i), QUAD1(p.b, i)    by one load: where LOAD4_0, LOAD4_1 are
#if defined(HALF_TILES) && defined(HALVES0) && defined(HALVES1)
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define Quad f16vec4
#define Number float16_t
Quad quad_F16(F16 b, uint i) {
    const uvec2 x = Words2(b).v[i / 4];
    return f16vec4(unpackFloat2x16(x.x), unpackFloat2x16(x.y));
}
#define QUAD0 quad_F16
#define QUAD1 quad_F16
#else
#define Quad vec4
#define Number float
#define QUAD0(b, i) LOAD4_0(b, i)
#define QUAD1(b, i) LOAD4_1(b, i)
#endif
