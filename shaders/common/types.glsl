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

#ifdef USES_16
#extension GL_EXT_shader_16bit_storage : require
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer F16 { float16_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer BF16 { uint16_t v[]; };
float load_F16(F16 b, uint i) { return float(b.v[i]); }
float load_BF16(BF16 b, uint i) { return uintBitsToFloat(uint(b.v[i]) << 16); }
void store_F16(F16 b, uint i, float x) { b.v[i] = float16_t(x); }
void store_BF16(BF16 b, uint i, float x) {
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
#define load_BOOL load_U8
#define store_BOOL store_U8
uint load_U8(U8 b, uint i) { return uint(b.v[i]); }
void store_U8(U8 b, uint i, uint x) { b.v[i] = uint8_t(x); }
#endif
