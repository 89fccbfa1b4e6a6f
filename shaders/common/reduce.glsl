// Sums over a workgroup of LANES invocations, in a fixed order: the same bits on every run.
shared float reduce_scratch[LANES];

float workgroup_sum(float value) {
    const uint lane = gl_LocalInvocationID.x;
    barrier();
    reduce_scratch[lane] = value;
    barrier();
    for (uint count = LANES; count > 1;) {
        const uint upper = (count + 1) / 2;
        if (lane + upper < count) reduce_scratch[lane] += reduce_scratch[lane + upper];
        barrier();
        count = upper;
    }
    return reduce_scratch[0];
}
