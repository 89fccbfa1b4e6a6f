#include <QString>
#include <QStringList>

#include "nodes/core/any_type.h"
#include "nodes/core/lists.h"
#include "nodes/core/made_types.h"
#include "nodes/types/number.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

enum class Which { All, Last };

// What list.collect is in a run.
struct Gather final : Node {
    Gather(std::string id, std::size_t size)
        : Node({.id = std::move(id), .version = 1, .title = "Collect List", .category = "List", .help = "Several values as one."}) {
        for (std::size_t i = 0; i < size; ++i) values.push_back(std::make_unique<In<Value>>(this, gather_input(i), "An element"));
    }

    std::vector<std::unique_ptr<In<Value>>> values;
    Param<std::string> titles{this, "titles", "What the elements are called, one a line"};
    Param<int>         across{this, "across", "Elements in a row"};
    Param<std::string> column_titles{this, "column_titles", "What the elements of a row are called, one a line"};
    Param<std::string> row_titles{this, "row_titles", "What the rows are called, one a line"};
    Out<Value>         batch {this, "batch", "All in one", {}, gather_input(0)};
    Out<std::string>   labels{this, "labels", "What the elements are called, one a line"};
    Out<std::string>   table {this, "table", "What the elements are called and what they are, one a line"};
    Out<double>        columns{this, "columns", "Elements in a row"};
    Out<double>        count {this, "count", "How many elements"};
    Out<std::string>   column_labels{this, "column_labels", "What the elements of a row are called, one a line"};
    Out<std::string>   row_labels{this, "row_labels", "What the rows are called, one a line"};

    void compute(Eval& ev) const override {
        const QStringList names = QString::fromStdString(ev[titles]).split('\n');
        std::vector<Value> all;
        std::string lines;
        for (std::size_t i = 0; i < values.size(); ++i) {
            all.push_back(ev[*values[i]]);
            if (all[i].type() != all[0].type()) ev.fail(*values[i], "expected {} as the first element is, got {}", all[0].type()->name, all[i].type()->name);
            lines += names.value(static_cast<int>(i)).toStdString() + "\t" + all[i].summary() + "\n";
        }
        if (all[0].type()->collect) ev.set(batch, all[0].type()->collect(all));
        ev.set(labels, ev[titles]);
        ev.set(table, std::move(lines));
        ev.set(columns, static_cast<double>(ev[across]));
        ev.set(count, static_cast<double>(all.size()));
        ev.set(column_labels, ev[column_titles]);
        ev.set(row_labels, ev[row_titles]);
    }
};

struct ListCollect final : ListNode {
    ListCollect() : ListNode({.id = "list.collect", .version = 1, .title = "Collect List", .category = "List",
                              .help = "Gathers what the elements of a list came to: pictures, masks, latents and the like as one batch, everything else as a table. "
                                      "What is behind it runs once."}, ListRole::Collect) {}

    In<Value>        value  {this, "value", "What is different for every element"};
    Param<Which>     which  {this, "which", "Of lists that were combined by a product: all, or the last one alone, once for each element of the others", {.names = {"all", "last"}}};
    Out<Value>       batch  {this, "batch", "The elements in order, as one batch", {}, "value"};
    Out<std::string> labels {this, "labels", "The elements of the lists that made each, one a line"};
    Out<std::string> table  {this, "table", "The label and a description of each element, one a line, a tab between them"};
    Out<double>      columns{this, "columns", "Elements of the list that changes fastest, for a sheet of all; 0 where there is one list only"};
    Out<double>      count  {this, "count", "How many elements"};
    Out<std::string> column_labels{this, "column_labels", "The elements of the list that changes fastest, one a line, for a sheet of all; empty where there is one list only"};
    Out<std::string> row_labels{this, "row_labels", "The elements of the other lists, one a line; empty where there is one list only"};

    std::string gathering_type(std::size_t size) const override {
        const std::string id = std::string(made_type_prefix) + "list.collect:" + std::to_string(size);
        made_type(id, [&] { return std::make_unique<Gather>(id, size); });
        return id;
    }
};

}  // namespace

REGISTER_NODE(list_collect, ListCollect)

}  // namespace nodes
