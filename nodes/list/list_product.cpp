#include "nodes/core/any_type.h"
#include "nodes/core/lists.h"

namespace nodes {
namespace {

struct ListProduct final : ListNode {
    ListProduct() : ListNode({.id = "list.product", .version = 1, .title = "Product of Lists", .category = "List",
                              .help = "Every combination of the elements of several lists, as in a grid: the last list changes fastest and makes the columns."},
                             ListRole::Product) {}

    In<Value>  a{this, "a", "A list: the slowest, the rows of a grid"};
    In<Value>  b{this, "b", "A list: of two the columns of the grid"};
    In<Value>  c{this, "c", "A third list", {.optional = true}};
    In<Value>  d{this, "d", "A fourth list", {.optional = true}};
    Out<Value> a_out{this, "a", "Its element in a combination"};
    Out<Value> b_out{this, "b", "The same of b"};
    Out<Value> c_out{this, "c", "The same of c"};
    Out<Value> d_out{this, "d", "The same of d"};
};

}  // namespace

REGISTER_NODE(list_product, ListProduct)

}  // namespace nodes
