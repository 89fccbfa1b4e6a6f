// What a convolution by gemm_tile.glsl or gemm_coop.glsl is specialised by; the constants before these are theirs.
layout(constant_id = 6) const uint KD = 1;
layout(constant_id = 7) const uint KH = 1;
layout(constant_id = 8) const uint KW = 1;
layout(constant_id = 9) const int stride_d = 1;
layout(constant_id = 10) const int stride_h = 1;
layout(constant_id = 11) const int stride_w = 1;
layout(constant_id = 12) const int dilation_d = 1;
layout(constant_id = 13) const int dilation_h = 1;
layout(constant_id = 14) const int dilation_w = 1;
layout(constant_id = 15) const int before_d = 0;
layout(constant_id = 16) const int before_h = 0;
layout(constant_id = 17) const int before_w = 0;
