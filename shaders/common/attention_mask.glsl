// Which keys a query sees, and the bias of a score. Expects the push block of common/attention_push.glsl; with HAS_BIAS
// LOAD_BIAS of p.bias, which lies row-major. Heads are gl_NumWorkGroups.y.
#define D (p.widths & 0xffff)             // length of queries and keys
#define DV (p.widths >> 16)               // length of values
#define GROUP (p.sharing & 0xffff)        // heads that share keys and values
#define BIAS_AXES (p.sharing >> 16)       // bits of the axes along which the bias varies

const float HIDDEN = -1e30;

#ifdef HAS_BIAS
float bias_at(uint b, uint h, uint i, uint j) {
    const uint keys = (BIAS_AXES & 8) != 0 ? p.K : 1, queries = (BIAS_AXES & 4) != 0 ? p.Q : 1;
    const uint heads = (BIAS_AXES & 2) != 0 ? gl_NumWorkGroups.y : 1;
    const uint row = ((BIAS_AXES & 1) != 0 ? b : 0) * heads + ((BIAS_AXES & 2) != 0 ? h : 0);
    return LOAD_BIAS(p.bias, (row * queries + ((BIAS_AXES & 4) != 0 ? i : 0)) * keys + ((BIAS_AXES & 8) != 0 ? j : 0));
}
#endif

// Keys [x, y) that some of `rows` queries from `first` on see.
uvec2 visible_keys(uint first, uint rows) {
    const int begin = p.before < 0 ? 0 : clamp(int(first) - p.before, 0, int(p.K));
    const int end = p.after < 0 ? int(p.K) : clamp(int(first + rows) + p.after, begin, int(p.K));
    return uvec2(begin, end);
}
// Queries [x, y) that see some of `count` keys from `first` on.
uvec2 visible_queries(uint first, uint count) {
    const int begin = p.after < 0 ? 0 : clamp(int(first) - p.after, 0, int(p.Q));
    const int end = p.before < 0 ? int(p.Q) : clamp(int(first + count) + p.before, begin, int(p.Q));
    return uvec2(begin, end);
}
