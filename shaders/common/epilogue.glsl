// The planner may fuse what follows a kernel: it then defines these three. Otherwise results pass through.
#ifndef EPILOGUE
#define EPILOGUE_PUSH
#define EPILOGUE(value, index) (value)
#else
float epilogue_(float value, uint index);   // written just before main
#endif
