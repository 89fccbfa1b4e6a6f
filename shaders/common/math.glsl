// Functions that GLSL lacks, or that drivers compute slowly. Both forms x P(x^2) / Q(x^2) were fitted to a relative error
// far below a float's; evaluated in floats they are within 4e-7 everywhere.

float erf_(float x) {
    const float c = clamp(x, -3.8325, 3.8325), t = c * c;   // rounds to 1 there
    const float p = (((((2.0969213920807306e-8 * t - 1.9855754089803668e-6) * t + 1.3663311256095767e-4) * t +
                       3.4044114872813225e-3) * t + 4.959433153271675e-2) * t + 1.924147754907608e-1) * t + 1.1283791065216064;
    const float q = (((8.901887922547758e-4 * t + 1.3729680329561234e-2) * t + 1.119106113910675e-1) * t +
                     5.038551688194275e-1) * t + 1.0;
    return isnan(x) ? x : clamp(c * p / q, -1.0, 1.0);
}

float tanh_(float x) {
    const float c = clamp(x, -8.0, 8.0), t = c * c;
    const float p = (((1.5231270467097602e-8 * t + 2.1895299141760916e-5) * t + 3.571637673303485e-3) * t +
                     1.3444530963897705e-1) * t + 1.0;
    const float q = (((8.522802090737969e-7 * t + 3.411356301512569e-4) * t + 2.6164595037698746e-2) * t +
                     4.677785933017731e-1) * t + 1.0;
    return isnan(x) ? x : clamp(c * p / q, -1.0, 1.0);
}
