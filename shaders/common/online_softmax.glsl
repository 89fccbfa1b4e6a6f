// The running maximum and sum of 32 rows of scores, 4 of them in each invocation: scores become weights relative to the
// maximum so far. `total` holds the invocation's own share of the sum until row_totals().
shared float row_scratch[TILE][8];

void online_softmax(inout float s[4][4], inout float most[4], inout float total[4], out float shrink[4]) {
    const uint tx = gl_LocalInvocationID.x, ty = gl_LocalInvocationID.y;
    for (uint i = 0; i < 4; ++i) row_scratch[4 * ty + i][tx] = max(max(s[i][0], s[i][1]), max(s[i][2], s[i][3]));
    barrier();
    for (uint i = 0; i < 4; ++i) {
        float high = most[i];
        for (uint t = 0; t < 8; ++t) high = max(high, row_scratch[4 * ty + i][t]);
        shrink[i] = exp(most[i] - high);
        most[i] = high;
        total[i] *= shrink[i];
        for (uint j = 0; j < 4; ++j) {
            s[i][j] = s[i][j] > 0.5 * HIDDEN ? exp(s[i][j] - high) : 0.0;
            total[i] += s[i][j];
        }
    }
    barrier();
}

void row_totals(inout float total[4]) {
    const uint tx = gl_LocalInvocationID.x, ty = gl_LocalInvocationID.y;
    barrier();
    for (uint i = 0; i < 4; ++i) row_scratch[4 * ty + i][tx] = total[i];
    barrier();
    for (uint i = 0; i < 4; ++i) {
        total[i] = 0.0;
        for (uint t = 0; t < 8; ++t) total[i] += row_scratch[4 * ty + i][t];
    }
}
