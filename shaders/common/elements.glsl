// A walk over `count` elements, laid out by KernelBuilder::elements: BLOCK of them a workgroup, LANES side by side.
#define FIRST_ELEMENT ((gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * BLOCK + gl_LocalInvocationID.x)
#define LAST_ELEMENT(count) min((gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x + 1) * BLOCK, count)
