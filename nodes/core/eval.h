// What compute() sees of the world: inputs, parameters, outputs, files, progress and cancel. Included by node.h.
#pragma once

#include <QImage>
#include <QJsonValue>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "nodes/core/node.h"

namespace nodes {

// A failure that knows the socket or parameter it came from; made by Eval::fail.
class SocketError final : public gpu::Error {
public:
    SocketError(gpu::ErrorCode code, std::string socket, std::string message)
        : Error(code, std::move(message)), socket_(std::move(socket)) {}
    const std::string& socket() const { return socket_; }

private:
    std::string socket_;
};

// What an Eval tells and asks the run that it belongs to. Implemented by the executor.
class EvalHost {
public:
    virtual ~EvalHost() = default;
    virtual void on_progress(std::int64_t done, std::int64_t total) = 0;
    virtual void on_preview(const QImage& image) = 0;
    virtual void on_metric(const std::string& name, double value, const std::string& unit) = 0;
    virtual void on_warning(const std::string& message) = 0;
    virtual void on_wrote(const std::string& path) = 0;
    virtual void on_resumable() = 0;
    virtual std::string document_json() const = 0;
};

class Eval {
public:
    // Of the executor. `inputs` and `params` follow the node's declarations; paths in `params` are absolute.
    Eval(const Node& node, std::string id, std::vector<Value> inputs, std::vector<QJsonValue> params,
         gpu::CancelToken cancel, EvalHost& host);

    // The value of an input. Throws SocketError when it is optional and nothing is there: ask has() first.
    template <typename T>
    const T& operator[](const In<T>& in) const {
        if constexpr (std::is_same_v<T, Value>)
            return input(in);
        else
            return *input(in).template get<T>();
    }
    template <typename T>
    bool has(const In<T>& in) const {
        return !inputs_[in.index()].empty();
    }

    template <typename T>
    T operator[](const Param<T>& param) const {
        T value;
        detail::decode(node_.params()[param.index()], params_[param.index()], value);
        return value;
    }

    template <typename T>
    void set(const Out<T>& out, T value) {
        outputs_[out.index()] = Value::of<T>(std::move(value));
    }

    // Ends compute() with a failure that the editor paints at the socket or parameter. The message says what was
    // expected and what came. The code decides the process's exit status.
    template <typename... Args>
    [[noreturn]] void fail(const Handle& at, std::string_view text, const Args&... args) const {
        throw SocketError(gpu::ErrorCode::InvalidGraph, at.name(), gpu::format(text, args...));
    }
    template <typename... Args>
    [[noreturn]] void fail(const Handle& at, gpu::ErrorCode code, std::string_view text, const Args&... args) const {
        throw SocketError(code, at.name(), gpu::format(text, args...));
    }

    // Steps of this node that are done; the cancel point. Cheap enough for every step: events are thinned out.
    void progress(std::int64_t done, std::int64_t total);
    // Throws gpu::Cancelled when the run was asked to stop.
    void check_cancelled() const { cancel_.check(); }
    const gpu::CancelToken& cancel_token() const { return cancel_; }

    // A picture of the work so far, for whoever watches.
    void preview(const QImage& image) { host_.on_preview(image); }
    // A number for people and scripts: report("psnr", 31.07, "dB"). Kept with the cached result and told again on a
    // hit.
    void report(const std::string& name, double value, const std::string& unit = {});
    template <typename... Args>
    void warn(std::string_view text, const Args&... args) {
        warn_text(gpu::format(text, args...));
    }

    // Tells that a file was completely written (the run lists it with its size and hash). Only for side_effect nodes.
    void wrote(const std::string& path) { host_.on_wrote(path); }
    // Tells, before Cancelled leaves compute(), that state is kept, or being written, from which the same run goes on.
    void resumable() { host_.on_resumable(); }
    // The document that runs, as canonical text, to embed in what is written. Only for side_effect nodes: a cached
    // result must not depend on it.
    std::string document_json() const;

    // As the run gave them, in order of declaration: for nodes that hand them on to another one.
    const std::vector<Value>& inputs() const { return inputs_; }
    const std::vector<QJsonValue>& params() const { return params_; }

    // The id that the document gives this node.
    const std::string& id() const { return id_; }

    struct Metric {
        std::string name;
        double value = 0;
        std::string unit;
    };
    // Of the executor: what compute() left.
    std::vector<Value>& outputs() { return outputs_; }
    std::vector<Metric>& metrics() { return metrics_; }
    std::vector<std::string>& warnings() { return warnings_; }

private:
    const Value& input(const Handle& in) const;
    void warn_text(std::string message);

    const Node& node_;
    std::string id_;
    std::vector<Value> inputs_;
    std::vector<QJsonValue> params_;
    std::vector<Value> outputs_;
    std::vector<Metric> metrics_;
    std::vector<std::string> warnings_;
    gpu::CancelToken cancel_;
    EvalHost& host_;
};

}  // namespace nodes
