#include "nodes/core/any_type.h"
#include "nodes/core/lists.h"

namespace nodes {
namespace {

enum class Length { Shortest, Longest };

struct ListZip final : ListNode {
    ListZip() : ListNode({.id = "list.zip", .version = 1, .title = "Zip Lists", .category = "List",
                          .help = "The elements of several lists side by side: the first of each, the second of each, and so on. What is no list is the same each time."},
                         ListRole::Zip) {}

    In<Value>     a     {this, "a", "A list"};
    In<Value>     b     {this, "b", "Another list", {.optional = true}};
    In<Value>     c     {this, "c", "A third list", {.optional = true}};
    In<Value>     d     {this, "d", "A fourth list", {.optional = true}};
    Param<Length> length{this, "length", "Where the lists differ in length: stop with the shortest, or go on and repeat the last element of those that end",
                         {.names = {"shortest", "longest"}}};
    Out<Value>    a_out {this, "a", "An element of a"};
    Out<Value>    b_out {this, "b", "The element of b beside it"};
    Out<Value>    c_out {this, "c", "The same of c"};
    Out<Value>    d_out {this, "d", "The same of d"};
};

}  // namespace

REGISTER_NODE(list_zip, ListZip)

}  // namespace nodes
