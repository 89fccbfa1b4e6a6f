// Small node types for tests of the node graph: numbers in, numbers out, and every way to go wrong.
#pragma once

#include <QFile>
#include <QTemporaryDir>
#include <atomic>
#include <chrono>
#include <thread>

#include "nodes/core/document.h"
#include "nodes/core/executor.h"
#include "nodes/core/node.h"
#include "nodes/types/number.h"
#include "nodes/types/text.h"

namespace tests {

using namespace nodes;

inline std::atomic<int> computed = 0;  // how often compute() of any stub ran

struct Constant final : Node {
    Constant() : Node({.id = "stub.constant", .title = "Constant", .category = "Stub", .help = "A number."}) {}
    Param<double> value{this, "value", "The number", {.initial = 1, .min = -100, .max = 100, .unit = "m"}};
    Out<double> out{this, "out", "The number"};
    void compute(Eval& ev) const override {
        ++computed;
        ev.set(out, ev[value]);
    }
};

struct Add final : Node {
    Add() : Node({.id = "stub.add", .title = "Add", .category = "Stub", .help = "Adds two numbers."}) {}
    In<double> a{this, "a", "First number"};
    In<double> b{this, "b", "Second number", {.initial = 10.0}};
    Out<double> sum{this, "sum", "a + b"};
    void compute(Eval& ev) const override {
        ++computed;
        ev.report("sum", ev[a] + ev[b], "m");
        ev.set(sum, ev[a] + ev[b]);
    }
};

inline std::atomic<int> counted = 0;  // steps of all stub.counter

// Counts up to `steps`, a millisecond each.
struct Counter final : Node {
    Counter() : Node({.id = "stub.counter", .title = "Counter", .category = "Stub", .help = "Takes its time."}) {}
    In<double> start{this, "start", "Where it starts", {.initial = 0.0}};
    Param<int> steps{this, "steps", "How far it counts", {.initial = 10, .min = 0, .max = 1000000}};
    Out<double> out{this, "out", "start + steps"};
    void compute(Eval& ev) const override {
        ++computed;
        const int last = ev[steps];
        for (int i = 0; i <= last; ++i) {
            ev.progress(i, last);
            if (i == last) break;
            ++counted;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        ev.set(out, ev[start] + last);
    }
};

enum class Way { Socket, Error, Standard, Nothing, Memory };

struct Failing final : Node {
    Failing()
        : Node({.id = "stub.failing", .title = "Failing", .category = "Stub", .help = "Fails in the chosen way."}) {}
    In<double> in{this, "in", "A number"};
    Param<Way> way{this,
                   "way",
                   "How it fails",
                   {.initial = Way::Socket, .names = {"socket", "error", "standard", "nothing", "memory"}}};
    Out<double> out{this, "out", "Never set"};
    void compute(Eval& ev) const override {
        switch (ev[way]) {
            case Way::Socket: ev.fail(in, "expected less than 0, got {}", ev[in]);
            case Way::Error: throw gpu::Error(gpu::ErrorCode::Io, "expected room, the disk is full");
            case Way::Standard: throw std::runtime_error("standard");
            case Way::Memory: throw std::bad_alloc();
            case Way::Nothing: break;
        }
    }
};

struct WriteText final : Node {
    WriteText()
        : Node({.id = "stub.write",
                .title = "Write",
                .category = "Stub",
                .help = "Writes a number to a file.",
                .side_effect = true}) {}
    In<double> in{this, "in", "A number"};
    Param<OutputPath> file{this, "file", "The file to write", {.filter = "Text (*.txt)"}};
    void compute(Eval& ev) const override {
        ++computed;
        QFile out(QString::fromStdString(ev[file].path));
        if (!out.open(QIODevice::WriteOnly)) ev.fail(file, gpu::ErrorCode::Io, "can not write {}", ev[file].path);
        out.write(QByteArray::number(ev[in]));
        out.close();
        ev.wrote(ev[file].path);
    }
};

struct ReadText final : Node {
    ReadText() : Node({.id = "stub.read", .title = "Read", .category = "Stub", .help = "Reads a file."}) {}
    Param<FilePath> file{this, "file", "The file to read", {.filter = "Text (*.txt)"}};
    Out<std::string> text{this, "text", "What it holds"};
    void compute(Eval& ev) const override {
        ++computed;
        QFile in(QString::fromStdString(ev[file].path));
        if (!in.open(QIODevice::ReadOnly)) ev.fail(file, gpu::ErrorCode::MissingFile, "can not read {}", ev[file].path);
        ev.set(text, in.readAll().toStdString());
    }
};

// Every kind of parameter; and a type that was changed twice since its first version.
struct Kinds final : Node {
    Kinds()
        : Node({.id = "stub.kinds", .version = 3, .title = "Kinds", .category = "Stub", .help = "All parameters."}) {}
    Param<bool> flag{this, "flag", "A flag"};
    Param<int> whole{this, "whole", "A whole number", {.initial = 6, .min = 0, .max = 64, .unit = "px"}};
    Param<float> real{this, "real", "A number", {.initial = 0.5, .min = 0, .max = 1}};
    Param<std::string> words{this, "words", "A text", {.multiline = true}};
    Param<Way> way{this,
                   "way",
                   "A choice",
                   {.initial = Way::Error, .names = {"socket", "error", "standard", "nothing", "memory"}}};
    Param<Seed> seed{this, "seed", "A seed"};
    Param<Choice> pick{this, "pick", "A choice by name", {.initial = "b", .names = {"a", "b"}}};
    Param<Color> tint{this, "tint", "A colour", {.initial = "#ff0080"}};
    Param<FilePath> file{this, "file", "A file", {.required = false}};
    Out<std::string> out{this, "out", "What compute() saw"};
    void compute(Eval& ev) const override {
        ev.set(out, gpu::format("{} {} {} {} {} {} {} {}", ev[flag], ev[whole], ev[real], ev[words],
                                static_cast<int>(ev[way]), ev[seed].value, ev[pick].name, ev[tint].blue));
    }
    QJsonObject upgrade(QJsonObject params, int from) const override {
        if (from < 2) params["whole"] = params.take("size");               // renamed in 2
        if (from < 3) params["real"] = params["real"].toDouble(50) / 100;  // percent until 3
        return params;
    }
};

// number -> text without loss is refused here; text takes a number by conversion.
struct Length {
    double metres = 0;
};

}  // namespace tests

template <>
struct nodes::SocketTraits<tests::Length> {
    static constexpr const char* name = "length";
    static SocketType describe() {
        return {.title = "Length",
                .help = "Metres",
                .accepts = {conversion<double, tests::Length>([](double value) { return tests::Length{value}; })}};
    }
};

namespace tests {

struct Measure final : Node {
    Measure()
        : Node({.id = "stub.measure",
                .title = "Measure",
                .category = "Stub",
                .help = "Reads a length.",
                .target = true}) {}
    In<Length> in{this, "in", "A length"};
    In<std::string> note{this, "note", "Says something", {.optional = true}};
    Out<double> out{this, "out", "The length in metres"};
    void compute(Eval& ev) const override {
        ++computed;
        if (!ev.has(note)) ev.warn("no note");
        ev.set(out, ev[in].metres);
    }
};

inline void register_stub_nodes() {
    static const bool once = [] {
        add_node_type(std::make_unique<Constant>());
        add_node_type(std::make_unique<Add>());
        add_node_type(std::make_unique<Counter>());
        add_node_type(std::make_unique<Failing>());
        add_node_type(std::make_unique<WriteText>());
        add_node_type(std::make_unique<ReadText>());
        add_node_type(std::make_unique<Kinds>());
        add_node_type(std::make_unique<Measure>());
        return true;
    }();
    (void)once;
}

// The number that a run produced at an output.
class Recorder {
public:
    std::function<void(const Event&)> sink() {
        return [this](const Event& event) { events.push_back(event); };
    }
    double number(const std::string& node, const std::string& socket) const {
        for (const Event& event : events)
            if (const auto* produced = std::get_if<event::Produced>(&event))
                if (produced->node == node && produced->socket == socket && produced->value.get<double>())
                    return *produced->value.get<double>();
        return -12345;
    }
    template <typename T>
    std::vector<T> all() const {
        std::vector<T> found;
        for (const Event& event : events)
            if (const T* match = std::get_if<T>(&event)) found.push_back(*match);
        return found;
    }
    std::vector<Event> events;
};

}  // namespace tests
