#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(einsum, list) {
    const auto add = [&](const std::string& subscripts, const std::vector<Shape>& shapes) {
        list.add({.in = shapes}, [=](const Tensors& in) { return einsum(subscripts, in); });
    };
    add("bhqd,bhkd->bhqk", {{2, 3, 4, 5}, {2, 3, 6, 5}});
    add("bqhd,bkhd->bhqk", {{2, 4, 3, 5}, {2, 6, 3, 5}});   // heads between: as attention's projections lie
    add("bhqk,bkhd->bqhd", {{2, 3, 4, 6}, {2, 6, 3, 5}});
    add("ij,jk->ki", {{3, 4}, {4, 5}});
    add("ij,jk", {{3, 4}, {4, 5}});
    add("ij->ji", {{3, 4}});
    add("ij->", {{3, 4}});
    add("ijk->j", {{3, 4, 2}});
    add("i,i->", {{7}, {7}});
    add("bi,bi->b", {{3, 7}, {3, 7}});
    add("i,j->ij", {{3}, {4}});
    add("ij,ij->ij", {{3, 4}, {3, 4}});
    add("ijk,kl->l", {{3, 4, 2}, {2, 5}});           // i and j are summed before the product
    add("ab,bc,cd->da", {{2, 3}, {3, 4}, {4, 5}});
    add("abc,bd,ce->ade", {{2, 3, 4}, {3, 2}, {4, 3}});
    add("ii->i", {{4, 4}});
    add("ii", {{4, 4}});
    add("ibi,i->b", {{4, 3, 4}, {4}});
    add("...ij,...jk->...ik", {{2, 1, 3, 4}, {5, 4, 2}});
    add("...i,i", {{2, 3, 4}, {4}});
    add("nchw,oc->nohw", {{2, 3, 4, 5}, {6, 3}});
    add("ntc,nsc->nts", {{1, 9, 4}, {1, 8, 4}});
    list.add({.in = {{2, 3, 4, 5}, {2, 3, 6, 5}}}, [](const Tensors& in) { return softmax(einsum("b h q d, b h k d -> b h q k", in) * 0.5); });
}
