// The sizes in the push block of the attention shaders, and the strides of [B, H, T, D] tensors that lie anyhow.
#define ATTENTION_SIZES                                                                                \
    uint Q, K;              /* queries and keys of a head */                                           \
    float scale;                                                                                       \
    uint widths;            /* D, and DV in the upper half */                                          \
    int before, after;      /* query i sees keys i - before ... i + after; -1: all */                  \
    uint sharing;           /* heads that share keys, and the bias' axes in the upper half */

#define Q_AT(b, h, i) ((b) * p.q_b + (h) * p.q_h + (i) * p.q_t)
#define Q_ROW p.q_t
#define Q_STEP p.q_d
#define K_AT(b, h, j) ((b) * p.k_b + (h) / GROUP * p.k_h + (j) * p.k_t)
#define K_ROW p.k_t
#define K_STEP p.k_d
