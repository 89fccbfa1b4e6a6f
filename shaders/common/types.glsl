// Buffers by address, one reference type per element type, and loads and stores in the compute type: float for floating
// types, int for I32, uint for U8 and BOOL. Define USES_16 or USES_8 before including to have the small types.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_scalar_block_layout : require

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer F32 { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer I32 { int v[]; };

float load(F32 b, uint i) { return b.v[i]; }
int load(I32 b, uint i) { return b.v[i]; }
void store(F32 b, uint i, float x) { b.v[i] = x; }
void store(I32 b, uint i, int x) { b.v[i] = x; }

#ifdef USES_16
#extension GL_EXT_shader_16bit_storage : require
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer F16 { float16_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer BF16 { uint16_t v[]; };
float load(F16 b, uint i) { return float(b.v[i]); }
float load(BF16 b, uint i) { return uintBitsToFloat(uint(b.v[i]) << 16); }
void store(F16 b, uint i, float x) { b.v[i] = float16_t(x); }
void store(BF16 b, uint i, float x) {
    const uint bits = floatBitsToUint(x);
    // Round to nearest even; a NaN stays one.
    const uint rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    b.v[i] = uint16_t(isnan(x) ? 0x7fc0u : rounded);
}
#endif

#ifdef USES_8
#extension GL_EXT_shader_8bit_storage : require
layout(buffer_reference, scalar, buffer_reference_align = 1) buffer U8 { uint8_t v[]; };
#define BOOL U8
uint load(U8 b, uint i) { return uint(b.v[i]); }
void store(U8 b, uint i, uint x) { b.v[i] = uint8_t(x); }
#endif
