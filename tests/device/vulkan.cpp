// The Vulkan layer on whatever device this machine has, with the validation layer watching where it is installed.
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/device.h"
#include "gpu/vulkan/instance.h"
#include "tests/support/test.h"

#include <QDirIterator>
#include <QFile>
#include <QTemporaryDir>
#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vulkan/vulkan.h>

namespace {

using namespace gpu;

const char* const axpb = R"(#version 460
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_scalar_block_layout : require
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint SCALE = 1;
layout(buffer_reference, scalar) readonly buffer In { T v[]; };
layout(buffer_reference, scalar) writeonly buffer Out { T v[]; };
layout(push_constant, scalar) uniform Push { In x; Out y; float b; uint n; };
void main() {
    const uint i = gl_GlobalInvocationID.x;
    if (i < n) y.v[i] = T(float(SCALE) * float(x.v[i]) + b);
}
)";

struct Push {
    std::uint64_t x, y;
    float b;
    std::uint32_t n;
};

PipelineKey axpb_key(std::uint32_t scale) {
    return {.name = "axpb", .source = axpb, .defines = {"T=float"}, .constants = {scale}, .push_bytes = sizeof(Push)};
}

void dispatch(Commands& commands, const PipelineRef& pipeline, const Push& push) {
    commands.dispatch(pipeline, std::as_bytes(std::span(&push, 1)), {(push.n + 63) / 64, 1, 1},
                      format("axpb [{}]", push.n));
}

// Copies through the host-visible domains, so that the tests hold on discrete devices too.
void upload(Device& device, const BufferRef& to, const std::vector<float>& values) {
    const BufferRef staging = device.allocate(values.size() * 4, Domain::Upload);
    std::memcpy(staging->mapped(), values.data(), values.size() * 4);
    const CommandsRef commands = device.record();
    commands->copy(*staging, 0, *to, 0, values.size() * 4);
    commands->end();
    device.wait(device.submit(commands));
}

std::vector<float> download(Device& device, const BufferRef& from) {
    std::vector<float> values(from->size() / 4);
    const BufferRef staging = device.allocate(from->size(), Domain::Readback);
    const CommandsRef commands = device.record();
    commands->copy(*from, 0, *staging, 0, from->size());
    commands->end();
    device.wait(device.submit(commands));
    std::memcpy(values.data(), staging->mapped(), from->size());
    return values;
}

std::vector<float> ramp(std::size_t n) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i % 1000) - 500;
    return values;
}

bool has_validation_layer() {
    std::uint32_t count = 0;
    vkEnumerateInstanceLayerProperties(&count, nullptr);
    std::vector<VkLayerProperties> layers(count);
    vkEnumerateInstanceLayerProperties(&count, layers.data());
    return std::any_of(layers.begin(), layers.end(), [](const VkLayerProperties& layer) {
        return std::string(layer.layerName) == "VK_LAYER_KHRONOS_validation";
    });
}

template <typename F>
std::pair<ErrorCode, std::string> error_of(F&& call) {
    try {
        call();
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
    return {ErrorCode::Cancelled, "no error"};
}

}  // namespace

class VulkanTest : public QObject {
    Q_OBJECT

    QTemporaryDir cache_;
    Switches old_switches_;
    int expected_messages_ = 0;   // those that a test provoked
    std::shared_ptr<Device> device_;

private slots:
    void initTestCase() {
        old_switches_ = switches();
        switches().validation = true;
        switches().sync_validation = true;
        switches().cache_dir = cache_.path().toStdString();
        if (list_devices().empty()) QSKIP("no Vulkan device on this machine");
        device_ = Device::open(switches().device);
    }
    void cleanupTestCase() {
        if (device_) QCOMPARE(device_->validation_messages(), expected_messages_);
        device_.reset();
        switches() = old_switches_;
    }

    void lists_what_can_be_opened() {
        const std::vector<Caps> list = list_devices();
        for (std::size_t i = 0; i < list.size(); ++i) {
            QCOMPARE(list[i].index, static_cast<int>(i));
            QVERIFY(!list[i].name.empty());
            QCOMPARE(list[i].uuid.size(), 32u);
        }
        const Caps& caps = device_->caps();
        QCOMPARE(QString::fromStdString(caps.missing()), QString());
        QVERIFY(caps.memory_bytes > 0 && caps.max_buffer_bytes >= (1u << 30));
        QVERIFY(caps.max_push_bytes >= 128 && caps.subgroup_size >= 1);
        if (caps.type == DeviceType::Cpu) QVERIFY(caps.unified_memory);
        QCOMPARE(Device::open(std::to_string(caps.index))->caps().identity(), caps.identity());
    }

    void unknown_device_lists_what_there_is() {
        const auto [code, text] = error_of([] { Device::open("no such device"); });
        QVERIFY(code == ErrorCode::NoDevice);
        QVERIFY2(text.find("\"no such device\"") != std::string::npos &&
                     text.find(device_->caps().name) != std::string::npos,
                 text.c_str());
    }

    void missing_features_are_named() {
        Caps caps = device_->caps();
        caps.timeline_semaphore = false;
        caps.api_version = "1.1.100";
        QCOMPARE(QString::fromStdString(caps.missing()), QString("Vulkan 1.2, timelineSemaphore"));
    }

    void computes_odd_sizes() {
        const PipelineRef pipeline = device_->pipeline(axpb_key(3));
        for (const std::uint32_t n : {1u, 63u, 64u, 65u, 1021u, 1000003u}) {
            const BufferRef x = device_->allocate(n * 4);
            const BufferRef y = device_->allocate(n * 4 + 4);   // one more, to see that nothing is written past the end
            QVERIFY(x->address() % 256 == 0 && y->address() % 256 == 0);
            const std::vector<float> values = ramp(n);
            upload(*device_, x, values);
            const CommandsRef commands = device_->record();
            commands->fill(*y, 0, y->size(), 0x42280000);   // 42.0f
            commands->barrier();
            dispatch(*commands, pipeline, {x->address(), y->address(), 0.5f, n});
            commands->end();
            device_->wait(device_->submit(commands));
            std::vector<float> expected = values;
            for (float& value : expected) value = 3 * value + 0.5f;
            expected.push_back(42.0f);
            QVERIFY(download(*device_, y) == expected);
        }
    }

    void constants_and_defines_make_pipelines() {
        const std::vector<PipelineKey> keys = {axpb_key(1), axpb_key(2), axpb_key(1), axpb_key(5), axpb_key(7)};
        const std::vector<PipelineRef> pipelines = device_->pipelines(keys);
        QCOMPARE(pipelines.size(), keys.size());
        QVERIFY(pipelines[0] == pipelines[2] && pipelines[0] != pipelines[1]);
        QVERIFY(device_->pipeline(axpb_key(5)) == pipelines[3]);
        const BufferRef x = device_->allocate(64 * 4);
        upload(*device_, x, ramp(64));
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const BufferRef y = device_->allocate(64 * 4);
            const CommandsRef commands = device_->record();
            dispatch(*commands, pipelines[i], {x->address(), y->address(), 0, 64});
            commands->end();
            device_->wait(device_->submit(commands));
            QCOMPARE(download(*device_, y)[10], -490.0f * static_cast<float>(keys[i].constants[0]));
        }
        if (device_->caps().storage16) {
            PipelineKey half = axpb_key(1);
            half.source.insert(half.source.find('\n') + 1, "#extension GL_EXT_shader_16bit_storage : require\n");
            half.defines = {"T=float16_t"};
            QVERIFY(device_->pipeline(half) != pipelines[0]);
        }
    }

    void barriers_order_a_chain_of_dispatches() {
        const PipelineRef pipeline = device_->pipeline(axpb_key(1));
        const std::uint32_t n = 100000;
        BufferRef a = device_->allocate(n * 4), b = device_->allocate(n * 4);
        upload(*device_, a, std::vector<float>(n, 0.0f));
        const CommandsRef commands = device_->record();
        for (int i = 0; i < 50; ++i) {
            dispatch(*commands, pipeline, {a->address(), b->address(), 1, n});
            commands->barrier();
            dispatch(*commands, pipeline, {b->address(), a->address(), 1, n});
            commands->barrier();
        }
        commands->end();
        // The same list again and again, without waiting in between: every submission sees what the last one wrote.
        for (int i = 0; i < 5; ++i) device_->submit(commands);
        device_->wait_idle();
        QVERIFY(download(*device_, a) == std::vector<float>(n, 500.0f));
    }

    void several_lists_are_one_submission() {
        const PipelineRef pipeline = device_->pipeline(axpb_key(1));
        const std::uint32_t n = 100000;
        BufferRef a = device_->allocate(n * 4), b = device_->allocate(n * 4);
        upload(*device_, a, std::vector<float>(n, 0.0f));
        std::vector<CommandsRef> lists;
        for (int i = 0; i < 8; ++i) {
            lists.push_back(device_->record());
            dispatch(*lists.back(), pipeline, {(i % 2 ? b : a)->address(), (i % 2 ? a : b)->address(), 1, n});
            lists.back()->end();
        }
        const std::uint64_t before = device_->submitted();
        for (int i = 0; i < 3; ++i) device_->submit(lists);   // each list sees what the one before it wrote
        QCOMPARE(device_->submitted(), before + 3);
        device_->wait_idle();
        QVERIFY(download(*device_, a) == std::vector<float>(n, 24.0f));
    }

    void timings_are_present() {
        if (device_->caps().timestamp_period_ns == 0) QSKIP("this device's queue has no timestamps");
        const PipelineRef pipeline = device_->pipeline(axpb_key(1));
        const std::uint32_t n = 1 << 20;
        const BufferRef x = device_->allocate(n * 4), y = device_->allocate(n * 4);
        upload(*device_, x, ramp(n));
        const CommandsRef commands = device_->record(true);
        for (int i = 0; i < 300; ++i) {   // more than one query pool holds
            dispatch(*commands, pipeline, {x->address(), y->address(), 1, i == 0 ? n : 64});
            commands->barrier();
        }
        commands->end();
        QVERIFY(commands->timings().empty() && commands->elapsed_ns() == 0);
        for (int run = 0; run < 2; ++run) {
            device_->submit(commands);
            const std::vector<Commands::Timing> timings = commands->timings();
            QCOMPARE(timings.size(), 300u);
            QCOMPARE(QString::fromStdString(timings[0].label), QString("axpb [1048576]"));
            QVERIFY2(timings[0].nanoseconds > 10000 && timings[0].nanoseconds < 10000000000,
                     std::to_string(timings[0].nanoseconds).c_str());
            for (const Commands::Timing& timing : timings) QVERIFY(timing.nanoseconds >= 0);
            QVERIFY(commands->elapsed_ns() >= timings[0].nanoseconds && commands->elapsed_ns() < 10000000000);
        }
        const CommandsRef untimed = device_->record();
        untimed->end();
        device_->submit(untimed);
        QVERIFY(untimed->timings().empty() && untimed->elapsed_ns() == 0);
    }

    void freed_memory_is_reused() {
        device_->wait_idle();
        device_->trim();
        device_->reset_peak();
        const Device::MemoryUse before = device_->memory_use();
        BufferRef large = device_->allocate(100 << 20);
        const std::uint64_t address = large->address();
        const Device::MemoryUse during = device_->memory_use();
        QCOMPARE(during.used, before.used + (100 << 20));
        QVERIFY(during.reserved >= before.reserved + (100 << 20));
        large.reset();
        QCOMPARE(device_->memory_use().used, before.used);
        QCOMPARE(device_->memory_use().peak, before.used + (100 << 20));
        QCOMPARE(device_->memory_use().reserved, during.reserved);
        large = device_->allocate((100 << 20) - 12345);   // fits in what was freed
        QCOMPARE(large->address(), address);
        QCOMPARE(device_->memory_use().reserved, during.reserved);
        large.reset();
        device_->trim();
        QVERIFY(device_->memory_use().reserved <= before.reserved);
    }

    void trimmed_memory_goes_back_to_the_machine() {
        if (device_->caps().type != DeviceType::Cpu) QSKIP("a device with its own memory");
        const auto shared_bytes = [] {
            QFile file("/proc/meminfo");
            if (!file.open(QIODevice::ReadOnly)) return 0ll;
            for (const QByteArray& line : file.readAll().split('\n'))
                if (line.startsWith("Shmem:")) return line.simplified().split(' ')[1].toLongLong() << 10;
            return 0ll;
        };
        const long long before = shared_bytes();
        BufferRef buffer = device_->allocate(512 << 20);
        std::memset(buffer->mapped(), 1, buffer->size());
        buffer.reset();
        device_->trim();
        QVERIFY2(shared_bytes() < before + (256 << 20), "the driver still holds what was freed");
    }

    void slices_do_not_overlap_and_coalesce() {
        std::vector<BufferRef> buffers;
        std::uint32_t state = 1;
        const auto random = [&state] { return state = state * 1664525 + 1013904223; };
        for (int i = 0; i < 3000; ++i) {
            if (buffers.size() > 200 || (!buffers.empty() && random() >> 24 < 100)) {
                std::swap(buffers[random() % buffers.size()], buffers.back());
                buffers.pop_back();
            } else {
                buffers.push_back(device_->allocate(random() >> (8 + random() % 20)));   // up to 16 MiB
            }
        }
        std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
        for (const BufferRef& buffer : buffers) {
            QCOMPARE(buffer->address() % 256, 0u);
            ranges.emplace_back(buffer->address(), buffer->address() + buffer->size());
        }
        std::sort(ranges.begin(), ranges.end());
        for (std::size_t i = 1; i < ranges.size(); ++i) QVERIFY(ranges[i - 1].second <= ranges[i].first);
        buffers.clear();
        device_->wait_idle();
        device_->trim();
        QCOMPARE(device_->memory_use().used, 0u);
        QCOMPARE(device_->memory_use().reserved, 0u);   // everything grew together again
    }

    void memory_in_use_by_the_device_is_not_reused() {
        const PipelineRef pipeline = device_->pipeline(axpb_key(1));
        const std::uint32_t n = (1 << 22) - 64;   // 65535 groups
        BufferRef x = device_->allocate(n * 4), y = device_->allocate(n * 4);
        upload(*device_, x, std::vector<float>(n, 1.0f));
        const CommandsRef commands = device_->record();
        for (int i = 0; i < 20; ++i) {
            dispatch(*commands, pipeline, {x->address(), y->address(), 1, n});
            commands->barrier();
        }
        commands->end();
        const std::uint64_t address = x->address();
        const std::uint64_t value = device_->submit(commands);
        x.reset();
        const BufferRef other = device_->allocate(n * 4);   // asked for while the work runs
        if (other->mapped()) std::memset(other->mapped(), 0, other->size());
        device_->wait(value);
        QVERIFY(download(*device_, y) == std::vector<float>(n, 2.0f));
        const BufferRef again = device_->allocate(n * 4);
        QVERIFY(other->address() == address || again->address() == address);
    }

    void out_of_memory_is_an_error_and_no_end() {
        const std::uint64_t too_much = 1ull << 50;
        const auto [code, text] = error_of([&] { device_->allocate(too_much); });
        QVERIFY(code == ErrorCode::OutOfMemory);
        QVERIFY2(text.find("1073741824 MiB") != std::string::npos && text.find("peak") != std::string::npos,
                 text.c_str());
        QVERIFY(error_of([&] { device_->allocate(~std::size_t{0}); }).first == ErrorCode::OutOfMemory);
        computes_odd_sizes();
    }

    void memory_runs_out_before_the_machine_does() {
        if (device_->caps().type != DeviceType::Cpu) QSKIP("a device with its own memory reports the end itself");
        std::vector<BufferRef> buffers;   // untouched, so that they cost address space only
        const auto [code, text] = error_of([&] {
            for (;;) buffers.push_back(device_->allocate(1 << 30));
        });
        QVERIFY(code == ErrorCode::OutOfMemory);
        QVERIFY(buffers.size() * (1ull << 30) <= device_->caps().memory_bytes);
        buffers.pop_back();
        buffers.push_back(device_->allocate(1 << 30));
        buffers.clear();
        device_->trim();
        computes_odd_sizes();
    }

    void misuse_is_refused() {
        const PipelineRef pipeline = device_->pipeline(axpb_key(1));
        const BufferRef buffer = device_->allocate(64);
        const CommandsRef commands = device_->record();
        const Push push{buffer->address(), buffer->address(), 0, 1};
        const auto bytes = std::as_bytes(std::span(&push, 1));
        const std::uint32_t groups = device_->caps().max_groups_x;
        QVERIFY(error_of([&] { commands->dispatch(pipeline, bytes.first(8), {1, 1, 1}, "short"); }).first ==
                ErrorCode::Failure);
        if (groups != ~0u)
            QVERIFY(error_of([&] { commands->dispatch(pipeline, bytes, {groups + 1, 1, 1}, "wide"); }).first ==
                    ErrorCode::Failure);
        QVERIFY(error_of([&] { commands->fill(*buffer, 32, 64, 0); }).first == ErrorCode::Failure);
        QVERIFY(error_of([&] { commands->copy(*buffer, 0, *buffer, 32, ~0ull); }).first == ErrorCode::Failure);
        QVERIFY(error_of([&] { commands->copy(*buffer, 0, *buffer, 16, 32); }).first == ErrorCode::Failure);
        QVERIFY(error_of([&] { device_->submit(commands); }).first == ErrorCode::Failure);
        QVERIFY(commands->empty());
        commands->end();
        QVERIFY(error_of([&] { commands->barrier(); }).first == ErrorCode::Failure);
        QVERIFY(error_of([&] { device_->wait(device_->submitted() + 1); }).first == ErrorCode::Failure);
        PipelineKey key = axpb_key(1);
        key.push_bytes = device_->caps().max_push_bytes + 4;
        QVERIFY(error_of([&] { device_->pipeline(key); }).first == ErrorCode::Failure);
    }

    void threads_share_a_device() {
        std::vector<std::jthread> threads;
        std::atomic<int> right = 0;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                const std::uint32_t n = 5000;
                for (int i = 0; i < 20; ++i) {
                    const BufferRef x = device_->allocate(n * 4), y = device_->allocate(n * 4);
                    upload(*device_, x, ramp(n));
                    const CommandsRef commands = device_->record();
                    const auto b = static_cast<float>(100 * t + i);
                    dispatch(*commands, device_->pipeline(axpb_key(11 + i % 3)), {x->address(), y->address(), b, n});
                    commands->end();
                    device_->wait(device_->submit(commands));
                    right += download(*device_, y)[500] == b;
                }
            });
        }
        threads.clear();
        QCOMPARE(right.load(), 80);
    }

    void spirv_is_cached_on_disk() {
        const std::string source = std::string(axpb) + "// spirv_is_cached_on_disk\n";
        const int start = glslang_compilations();
        const std::vector<std::uint32_t> first = compile_glsl("cached", source, {"T=float"});
        QCOMPARE(glslang_compilations(), start + 1);
        QVERIFY(compile_glsl("cached", source, {"T=float"}) == first);
        QCOMPARE(glslang_compilations(), start + 1);
        QVERIFY(compile_glsl("cached", source, {"T=double"}) != first);
        QCOMPARE(glslang_compilations(), start + 2);
    }

    void damaged_cache_files_are_misses() {
        const std::string source = std::string(axpb) + "// damaged_cache_files_are_misses\n";
        const auto files = [&] {
            QStringList list;
            QDirIterator iterator(cache_.path() + "/spirv", QDir::Files);
            while (iterator.hasNext()) list << iterator.next();
            return list;
        };
        const QStringList before = files();
        const std::vector<std::uint32_t> words = compile_glsl("damaged", source, {"T=float"});
        QStringList fresh = files();
        fresh.removeIf([&](const QString& path) { return before.contains(path); });
        QCOMPARE(fresh.size(), 1);
        QFile file(fresh[0]);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray good = file.readAll();
        file.close();

        QByteArray flipped = good;
        flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 4);
        for (const QByteArray& bad :
             {QByteArray(), good.left(10), good.left(good.size() - 4), good + "more", flipped}) {
            QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
            file.write(bad);
            file.close();
            const int start = glslang_compilations();
            QVERIFY(compile_glsl("damaged", source, {"T=float"}) == words);
            QCOMPARE(glslang_compilations(), start + 1);
            QVERIFY(compile_glsl("damaged", source, {"T=float"}) == words);   // repaired
            QCOMPARE(glslang_compilations(), start + 1);
        }
        QVERIFY(QDir(cache_.path() + "/spirv").entryList({"*.tmp"}).isEmpty());
    }

    void a_cache_folder_that_can_not_be_written_is_no_error() {
        const ScopedSwitch<std::string> nowhere(&Switches::cache_dir, "/proc/no/such/folder");
        QVERIFY(!compile_glsl("nowhere", axpb, {"T=float"}).empty());
    }

    void pipeline_blob_survives_a_new_device() {
        device_->pipeline(axpb_key(77));
        device_->save_pipeline_cache();
        QDir folder(cache_.path() + "/pipelines");
        const QStringList files = folder.entryList(QDir::Files);
        QCOMPARE(files.size(), 1);
        QVERIFY(Device::open("")->pipeline(axpb_key(77)));
        QFile file(folder.filePath(files[0]));
        QVERIFY(file.open(QIODevice::ReadWrite));
        file.seek(file.size() - 1);
        file.write("x");
        file.close();
        QVERIFY(Device::open("")->pipeline(axpb_key(77)));
    }

    void compile_errors_show_numbered_source() {
        const auto [code, text] =
            error_of([] { compile_glsl("broken", "#version 460\nvoid main() { undefined_thing; }\n", {}); });
        QVERIFY(code == ErrorCode::Failure);
        QVERIFY2(text.find("broken") != std::string::npos && text.find("'undefined_thing'") != std::string::npos &&
                     text.find("2: void main() { undefined_thing; }") != std::string::npos,
                 text.c_str());
        const auto [missing, why] = error_of([] { compile_glsl("lost", "#include \"common/none.glsl\"\n", {}); });
        QVERIFY(missing == ErrorCode::Failure);
        QVERIFY2(why.find("common/none.glsl") != std::string::npos && why.find("in shader lost") != std::string::npos,
                 why.c_str());
    }

    void includes_come_from_the_shader_folder() {
        QTemporaryDir folder;
        QDir(folder.path()).mkdir("common");
        const auto write = [&](const char* name, const char* text) {
            QFile file(folder.filePath(name));
            QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
            file.write(text);
        };
        const ScopedSwitch<std::string> shaders(&Switches::shader_dir, folder.path().toStdString());
        write("common/value.glsl", "#ifndef VALUE\n#define VALUE 2\n#endif");
        write("common/cycle.glsl", "#include \"common/cycle.glsl\"\n");
        const PipelineKey key{.name = "included",
                              .source = "#version 460\n#include \"common/value.glsl\"\n"
                                        "layout(local_size_x = VALUE) in;\nvoid main() {}\n"};
        const PipelineRef first = device_->pipeline(key);
        QVERIFY(device_->pipeline(key) == first);
        write("common/value.glsl", "#define VALUE 4\n");
        QVERIFY(device_->pipeline(key) != first);   // an edited shader takes effect at once
        QVERIFY(error_of([] { compile_glsl("cycle", "#include \"common/cycle.glsl\"\n", {}); }).first ==
                ErrorCode::Failure);
    }

    void handles_may_outlive_the_device() {
        std::shared_ptr<Device> device = Device::open("");
        const BufferRef buffer = device->allocate(1000);
        const PipelineRef pipeline = device->pipeline(axpb_key(1));
        const CommandsRef commands = device->record();
        commands->fill(*buffer, 0, 1000, 0);
        commands->end();
        device->submit(commands);
        device.reset();
        QVERIFY(error_of([&] { commands->barrier(); }).first == ErrorCode::Failure);
    }

    void current_device_is_opened_once() {
        Device& device = Device::current();
        QVERIFY(&Device::current() == &device);
        Device::set_current(device_);
        QVERIFY(&Device::current() == device_.get());
        Device::set_current(nullptr);
    }

    // Without this, validation_messages() == 0 could mean that nobody looked.
    void validation_sees_a_missing_barrier() {
        if (!has_validation_layer()) QSKIP("VK_LAYER_KHRONOS_validation is not installed");
        if (!Instance::get()->validates_synchronisation()) QSKIP("this VK_LAYER_KHRONOS_validation has no synchronisation validation");
        const int before = device_->validation_messages();
        const LogSink sink = set_log_sink([](std::string_view, LogLevel, const std::string&) {});
        const BufferRef buffer = device_->allocate(256);
        const CommandsRef commands = device_->record();
        commands->fill(*buffer, 0, 256, 1);
        commands->fill(*buffer, 0, 256, 2);
        commands->end();
        set_log_sink(sink);
        expected_messages_ = device_->validation_messages();
        QVERIFY(before == 0 && expected_messages_ > 0);
    }

    void submission_overhead() {
        const PipelineRef pipeline = device_->pipeline(axpb_key(1));
        const BufferRef x = device_->allocate(256), y = device_->allocate(256);
        const CommandsRef commands = device_->record();
        dispatch(*commands, pipeline, {x->address(), y->address(), 1, 64});
        commands->end();
        device_->wait(device_->submit(commands));
        QBENCHMARK { device_->wait(device_->submit(commands)); }
    }
};

HEDDLE_TEST(vulkan, VulkanTest)
#include "vulkan.moc"
