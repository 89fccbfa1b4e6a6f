#include "app/cli/event_printer.h"

#include <QJsonArray>
#include <cmath>
#include <cstdio>

#include "app/cli/command.h"

namespace app {
namespace {

using namespace nodes;

QString text(const std::string& text) { return QString::fromStdString(text); }

QJsonArray list(const std::vector<std::string>& items) {
    QJsonArray array;
    for (const std::string& item : items) array.append(text(item));
    return array;
}

QJsonValue number(double value) {
    if (std::isfinite(value)) return value;  // JSON has no other numbers
    return QString(std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

// The name and fields of an event as a JSON line; states, previews and values have none.
std::pair<const char*, QJsonObject> as_json(const Event& event) {
    if (const auto* e = std::get_if<event::Plan>(&event))
        return {"plan", {{"nodes", list(e->nodes)}, {"cached", list(e->cached)}}};
    if (const auto* e = std::get_if<event::NodeStart>(&event))
        return {"node_start", {{"id", text(e->node)}, {"type", text(e->type)}}};
    if (const auto* e = std::get_if<event::Progress>(&event)) {
        QJsonObject fields{{"id", text(e->node)}, {"step", qint64(e->done)}, {"steps", qint64(e->total)}};
        if (e->eta >= 0) fields["eta"] = e->eta;
        return {"progress", fields};
    }
    if (const auto* e = std::get_if<event::NodeEnd>(&event))
        return {"node_end", {{"id", text(e->node)}, {"ms", e->ms}, {"cached", e->cached}}};
    if (const auto* e = std::get_if<event::Output>(&event))
        return {
            "output",
            {{"id", text(e->node)}, {"path", text(e->path)}, {"bytes", qint64(e->bytes)}, {"sha256", text(e->sha256)}}};
    if (const auto* e = std::get_if<event::Metric>(&event))
        return {"metric",
                {{"id", text(e->node)}, {"name", text(e->name)}, {"value", number(e->value)}, {"unit", text(e->unit)}}};
    if (const auto* e = std::get_if<event::Warning>(&event))
        return {"warning", {{"id", text(e->node)}, {"message", text(e->message)}}};
    if (const auto* e = std::get_if<event::Failure>(&event))
        return {"error",
                {{"id", text(e->failure.node)},
                 {"port", text(e->failure.socket)},
                 {"message", text(e->failure.message)},
                 {"code", gpu::to_string(e->failure.code)}}};
    return {nullptr, {}};
}

}  // namespace

EventPrinter::EventPrinter(ProgressStyle style, bool json)
    : style_(style), json_(json || style == ProgressStyle::Json) {
    clock_.start();
}

void EventPrinter::start(const std::string& graph) {
    if (json_) line("start", {{"graph", text(graph)}, {"heddle", HEDDLE_VERSION}});
}

void EventPrinter::print(const Event& event) {
    if (json_) print_json_event(event);
    print_for_people(event);
}

void EventPrinter::end(const RunResult& result, int exit_code) {
    clear_bar();
    if (json_)
        line("end", {{"status", to_string(result.status)},
                     {"exit_code", exit_code},
                     {"ms", result.ms},
                     {"computed", result.computed},
                     {"cached", result.cached}});
    if (result.status == RunStatus::Cancelled) std::fputs("heddle: cancelled\n", stderr);
}

void EventPrinter::print_json_event(const Event& event) {
    if (style_ != ProgressStyle::Json && std::holds_alternative<event::Progress>(event)) return;
    if (auto [name, fields] = as_json(event); name) line(name, std::move(fields));
}

void EventPrinter::print_for_people(const Event& event) {
    if (const auto* e = std::get_if<event::Plan>(&event)) {
        nodes_ = static_cast<int>(e->nodes.size());
    } else if (const auto* e = std::get_if<event::NodeStart>(&event)) {
        draw_bar(e->node);
    } else if (const auto* e = std::get_if<event::Progress>(&event)) {
        std::string steps = e->node;
        if (e->total > 0) steps += gpu::format(" {}/{}", e->done, e->total);
        if (e->eta >= 1) steps += gpu::format(", {} s left", std::llround(e->eta));
        draw_bar(steps);
    } else if (std::holds_alternative<event::NodeEnd>(event)) {
        ++visited_;
    } else if (const auto* e = std::get_if<event::Output>(&event)) {
        clear_bar();
        if (!json_) print_line("wrote " + e->path);
    } else if (const auto* e = std::get_if<event::Metric>(&event)) {
        clear_bar();
        if (!json_)
            print_line(gpu::format("{}.{} {}{}", e->node, e->name, e->value, e->unit.empty() ? "" : " " + e->unit));
    } else if (const auto* e = std::get_if<event::Warning>(&event)) {
        clear_bar();
        std::fprintf(stderr, "warning: %s\n", (e->node.empty() ? e->message : e->node + ": " + e->message).c_str());
    } else if (const auto* e = std::get_if<event::Failure>(&event)) {
        clear_bar();
        std::fprintf(stderr, "error: %s\n", e->failure.text().c_str());
    }
}

void EventPrinter::line(const char* name, QJsonObject fields) {
    fields["v"] = 1;
    fields["seq"] = sequence_++;
    fields["t"] = static_cast<double>(clock_.elapsed()) / 1000;
    fields["event"] = name;
    print_json_line(fields);
}

void EventPrinter::draw_bar(const std::string& text) {
    if (style_ != ProgressStyle::Bar) return;
    std::fprintf(stderr, "\r\033[K[%d/%d] %s", visited_ + 1, nodes_, text.c_str());
    std::fflush(stderr);
    bar_shown_ = true;
}

void EventPrinter::clear_bar() {
    if (bar_shown_) std::fputs("\r\033[K", stderr);
    bar_shown_ = false;
}

}  // namespace app
