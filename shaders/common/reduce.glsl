// Sums over a workgroup of 256 invocations, in a fixed order: the same bits on every run.
shared float reduce_scratch[256];

float workgroup_sum(float value) {
    const uint lane = gl_LocalInvocationID.x;
    barrier();
    reduce_scratch[lane] = value;
    barrier();
    for (uint width = 128; width > 0; width >>= 1) {
        if (lane < width) reduce_scratch[lane] += reduce_scratch[lane + width];
        barrier();
    }
    return reduce_scratch[0];
}
