// heddle bench engine: what the node graph itself costs, without any tensor: a graph of 10,000 small nodes, checked, run, and run again after
// an edit of one of them.
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <chrono>

#include "app/cli/bench.h"
#include "gpu/base/error.h"
#include "nodes/core/executor.h"
#include "nodes/core/lowering.h"
#include "nodes/core/plan.h"

namespace app {
namespace {

constexpr int rows = 100, columns = 100;

QString name(int row, int column) { return QString("n%1_%2").arg(row).arg(column); }

// Rows of sums that hang together every tenth column.
nodes::Document large_graph() {
    QJsonObject all;
    QJsonArray links;
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column) {
            const QString own = name(row, column);
            all[own] = QJsonObject{{"type", column == 0 ? "value.number" : "value.calculate"}};
            if (column == 0) continue;
            const auto link = [&](int from_row, int from_column, const char* socket) {
                links.append(QJsonObject{{"from", name(from_row, from_column) + (from_column == 0 ? ".number" : ".result")}, {"to", own + "." + socket}});
            };
            link(row, column - 1, "a");
            column % 10 == 0 && row > 0 ? link(row - 1, column - 1, "b") : link(row, 0, "b");
        }
    return nodes::Document::from_json(QJsonDocument(QJsonObject{{"heddle", 1}, {"nodes", all}, {"links", links}}).toJson());
}

}  // namespace

int bench_engine(const Arguments& arguments, int repeats) {
    using Clock = std::chrono::steady_clock;
    nodes::Document document = large_graph();
    const std::vector<std::string> targets = nodes::default_targets(document);
    const BenchTiming checked = bench_time([&] { gpu::check(!nodes::has_errors(nodes::validate(document)), gpu::ErrorCode::Failure, "bench engine: expected a good graph"); }, repeats);
    const BenchTiming planned = bench_time([&] { nodes::make_plan(nodes::lowered(document), targets, {}, nullptr); }, repeats);
    nodes::ResultCache cache;
    nodes::PlanMemo memo;
    const auto first = Clock::now();
    nodes::run(document, {.cache = &cache, .memo = &memo});
    const std::chrono::duration<double> whole = Clock::now() - first;
    // The last row has no row below: an edit there reaches its own 99 sums.
    int touched = 0;
    double value = 0;
    std::vector<double> decided;
    const BenchTiming again = bench_time(
        [&] {
            document = document.set_param(name(rows - 1, 0).toStdString(), "value", ++value);
            const auto start = Clock::now();
            touched = 0;
            nodes::run(document, {.cache = &cache, .memo = &memo, .on_event = [&](const nodes::Event& event) {
                                      if (std::holds_alternative<nodes::event::Plan>(event)) decided.push_back(std::chrono::duration<double>(Clock::now() - start).count());
                                      touched += std::holds_alternative<nodes::event::NodeStart>(event);
                                  }});
        },
        repeats);
    std::sort(decided.begin(), decided.end());
    return print_bench_row(arguments, {{"name", "engine"},
                                       {"nodes", rows * columns},
                                       {"validate_ms", checked.median * 1e3},
                                       {"plan_ms", planned.median * 1e3},
                                       {"first_run_ms", whole.count() * 1e3},
                                       {"rerun_ms", again.median * 1e3},
                                       {"rerun_decided_ms", decided[decided.size() / 2] * 1e3},
                                       {"rerun_computed", touched}});
}

}  // namespace app
