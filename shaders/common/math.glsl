// Functions that GLSL lacks.

float erf_(float x) {
    const float a = abs(x);
    const float t = 1.0 / (1.0 + 0.5 * a);
    // Numerical Recipes' erfcc: fractional error below 1.2e-7 everywhere.
    const float erfc = t * exp(-a * a - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 +
                       t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 +
                       t * (-0.82215223 + t * 0.17087277)))))))));
    // Near zero 1 - erfc cancels: the series there.
    const float s = x * x;
    const float small = 1.1283791670955126 * x * (1.0 - s * (0.33333333 - s * (0.1 - s * (0.023809524 - s * 0.00462963))));
    return a < 0.4 ? small : x < 0.0 ? erfc - 1.0 : 1.0 - erfc;
}
