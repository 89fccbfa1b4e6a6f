// Which of several products a workgroup is at, and which part of its sum over k. With SPLIT_K the parts are workgroups of their own,
// and results lie as [parts, products, m, n].
#ifdef SPLIT_K
#define SPLIT_PUSH uint products, part;   /* its length along k */
#define PRODUCT (gl_WorkGroupID.z % p.products)
#define PART (gl_WorkGroupID.z / p.products)
#define K_FIRST (PART * p.part)
#define K_LAST min(p.K, K_FIRST + p.part)
#else
#define SPLIT_PUSH
#define PRODUCT gl_WorkGroupID.z
#define PART 0
#define K_FIRST 0
#define K_LAST p.K
#endif
