// The planner may fuse elementwise work with a kernel: what follows it (EPILOGUE) and what comes before it (PROLOGUES; LOADn and the
// like then compute as they load). It then defines these; FUSED_PUSH is what they want pushed. Otherwise results pass through.
#ifndef FUSED_PUSH
#define FUSED_PUSH
#endif
#ifdef EPILOGUE
float epilogue_(float value, uint index);   // written just before main
#else
#define EPILOGUE(value, index) (value)
#endif
#ifdef PROLOGUES
PROLOGUES   // the same
#endif
