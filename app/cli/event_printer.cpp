#include "app/cli/event_printer.h"

#include <QJsonArray>
#include <cmath>
#include <cstdio>

#include "app/cli/command.h"

namespace app {
namespace {

std::string text_at(const QJsonObject& event, const char* name) { return event[QLatin1String(name)].toString().toStdString(); }

// "encode.image: expected ..."
std::string message_of(const QJsonObject& event) {
    return nodes::NodeFailure{.node = text_at(event, "id"), .socket = text_at(event, "port"), .message = text_at(event, "message")}.text();
}

}  // namespace

EventPrinter::EventPrinter(ProgressStyle style, bool json) : style_(style), json_(json || style == ProgressStyle::Json) {}

void EventPrinter::start(const std::string& graph) { print(start_json(graph)); }

void EventPrinter::print(const nodes::Event& event) {
    if (auto fields = event_json(event)) print(std::move(*fields));
}

void EventPrinter::end(const nodes::RunResult& result, int exit_code) { print(end_json(result, exit_code)); }

void EventPrinter::print(QJsonObject event) {
    if (row_ > 0) event["row"] = static_cast<qint64>(row_);
    print_for_people(event);
    // What is not printed gets no number.
    if (json_ && (style_ == ProgressStyle::Json || event["event"] != "progress")) print_json_line(stamp_(std::move(event)));
}

void EventPrinter::relay(const QJsonObject& line) {
    print_for_people(line);
    if (json_ && (style_ == ProgressStyle::Json || line["event"] != "progress")) print_json_line(line);
}

void EventPrinter::print_for_people(const QJsonObject& event) {
    const QString kind = event["event"].toString();
    if (kind == "plan") {
        nodes_ = static_cast<int>(event["nodes"].toArray().size());
        visited_ = 0;
    } else if (kind == "node_start") {
        draw_bar(text_at(event, "id"));
    } else if (kind == "progress") {
        std::string steps = text_at(event, "id");
        if (const qint64 total = event["steps"].toInteger(); total > 0) steps += gpu::format(" {}/{}", event["step"].toInteger(), total);
        if (const double eta = event["eta"].toDouble(); eta >= 1) steps += gpu::format(", {} s left", std::llround(eta));
        draw_bar(steps);
    } else if (kind == "paused" || kind == "resumed") {
        clear_bar();
        if (!json_) std::fputs(kind == "paused" ? "heddle: paused, SIGUSR1 goes on\n" : "heddle: goes on\n", stderr);
    } else if (kind == "node_end") {
        ++visited_;
    } else if (kind == "output") {
        clear_bar();
        if (!json_) print_line("wrote " + text_at(event, "path"));
    } else if (kind == "metric") {
        clear_bar();
        const QJsonValue value = event["value"];      // a text for nan and infinity
        const std::string number = value.isString() ? value.toString().toStdString() : gpu::format("{}", value.toDouble());
        const std::string unit = text_at(event, "unit");
        if (!json_) print_line(gpu::format("{}.{} {}{}", text_at(event, "id"), text_at(event, "name"), number, unit.empty() ? "" : " " + unit));
    } else if (kind == "warning") {
        clear_bar();
        std::fprintf(stderr, "warning: %s\n", message_of(event).c_str());
    } else if (kind == "error") {
        clear_bar();
        std::fprintf(stderr, "error: %s\n", message_of(event).c_str());
    } else if (kind == "end") {
        clear_bar();
        if (event["status"] == "cancelled") std::fputs("heddle: cancelled\n", stderr);
    }
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
