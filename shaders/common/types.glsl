// Buffers by address, one reference type per element type, and loads and stores in the compute type: float for floating
// types, int for I32, uint for U8 and BOOL. Define USES_16 or USES_8 before including to have the small types.
// (Not overloads: glslang 12 takes all references for one type.) Kernels say LOAD0(p.x, i), LOAD1, ... and STORE(p.y, i, v):
// the planner defines them beside IN0, IN1, ... and OUT.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_scalar_block_layout : require

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer F32 { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer I32 { int v[]; };

float load_F32(F32 b, uint i) { return b.v[i]; }
int load_I32(I32 b, uint i) { return b.v[i]; }
void store_F32(F32 b, uint i, float x) { b.v[i] = x; }
void store_I32(I32 b, uint i, int x) { b.v[i] = x; }

// Devices without 8- or 16-bit storage (NO_STORAGE16, NO_STORAGE8) read the element's word and set its bits in place; two
// invocations may write to one word, so each changes its own bits alone.
#if defined(NO_STORAGE16) || defined(NO_STORAGE8)
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Words { uint v[]; };
uint load_bits(Words b, uint at, uint bits, uint mask) { return (b.v[at] >> bits) & mask; }
void store_bits(Words b, uint at, uint bits, uint mask, uint x) {
    atomicAnd(b.v[at], ~(mask << bits));
    atomicOr(b.v[at], x << bits);
}
#endif

uint to_BF16(float x) {
    const uint bits = floatBitsToUint(x);
    // Round to nearest even; a NaN stays one.
    return isnan(x) ? 0x7fc0u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

#if defined(USES_16) && defined(NO_STORAGE16)
#define F16 Words
#define BF16 Words
float load_F16(Words b, uint i) { return unpackHalf2x16(load_bits(b, i >> 1, (i & 1u) * 16u, 0xffffu)).x; }
float load_BF16(Words b, uint i) { return uintBitsToFloat(load_bits(b, i >> 1, (i & 1u) * 16u, 0xffffu) << 16); }
void store_F16(Words b, uint i, float x) { store_bits(b, i >> 1, (i & 1u) * 16u, 0xffffu, packHalf2x16(vec2(x, 0.0))); }
void store_BF16(Words b, uint i, float x) { store_bits(b, i >> 1, (i & 1u) * 16u, 0xffffu, to_BF16(x)); }
#elif defined(USES_16)
#extension GL_EXT_shader_16bit_storage : require
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer F16 { float16_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer BF16 { uint16_t v[]; };
float load_F16(F16 b, uint i) { return float(b.v[i]); }
float load_BF16(BF16 b, uint i) { return uintBitsToFloat(uint(b.v[i]) << 16); }
void store_F16(F16 b, uint i, float x) { b.v[i] = float16_t(x); }
void store_BF16(BF16 b, uint i, float x) { b.v[i] = uint16_t(to_BF16(x)); }
#endif

#if defined(USES_8) && defined(NO_STORAGE8)
#define U8 Words
uint load_U8(Words b, uint i) { return load_bits(b, i >> 2, (i & 3u) * 8u, 0xffu); }
void store_U8(Words b, uint i, uint x) { store_bits(b, i >> 2, (i & 3u) * 8u, 0xffu, x & 0xffu); }
#elif defined(USES_8)
#extension GL_EXT_shader_8bit_storage : require
layout(buffer_reference, scalar, buffer_reference_align = 1) buffer U8 { uint8_t v[]; };
uint load_U8(U8 b, uint i) { return uint(b.v[i]); }
void store_U8(U8 b, uint i, uint x) { b.v[i] = uint8_t(x); }
#endif
#ifdef USES_8
#define BOOL U8
#define load_BOOL load_U8
#define store_BOOL store_U8
#endif

#ifdef USES_BLOCKS
#include "common/blocks.glsl"
#endif
