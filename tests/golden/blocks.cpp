// Blocks of every format against tests/golden/blocks/make_blocks.py, which reads them by numpy, and the GGUF container as
// that script writes it.
#include <QFile>
#include <QTemporaryDir>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"
#include "gpu/io/mapped_file.h"
#include "gpu/io/quantize.h"
#include "gpu/ops.h"
#include "gpu/plan/program.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

Checkpoint golden() { return open_checkpoint(std::string(HEDDLE_SOURCE_DIR) + "/tests/golden/blocks/blocks.gguf"); }

double relative(const std::vector<float>& got, const std::vector<float>& wanted) {
    double error = 0, size = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        error += (double(got[i]) - wanted[i]) * (double(got[i]) - wanted[i]);
        size += double(wanted[i]) * wanted[i];
    }
    return std::sqrt(error / size);
}

}  // namespace

class BlocksTest : public QObject {
    Q_OBJECT
    QTemporaryDir folder_;
    std::string path() const { return folder_.filePath("a.gguf").toStdString(); }

    // The message of the BadFile error that these bytes get; empty when they open and every tensor can be read.
    std::string refusal(const std::string& bytes) const {
        QFile file(folder_.filePath("a.gguf"));
        file.remove();
        if (!file.open(QFile::WriteOnly) || file.write(bytes.data(), qint64(bytes.size())) != qint64(bytes.size())) return "code of the test";
        file.close();
        try {
            const Checkpoint opened = open_checkpoint(path());
            for (const TensorEntry& entry : opened.entries())
                if (opened.format().starts_with("gguf") && entry.foreign.empty() && is_float(entry.dtype)) entry_floats(entry);
        } catch (const Error& error) {
            return error.code() == ErrorCode::BadFile ? error.what() : std::string("code ") + to_string(error.code());
        }
        return {};
    }

    // One of everything, small.
    std::string small_file() const {
        const std::vector<std::byte> bytes(256, std::byte{0x30});
        const auto some = std::span(bytes);
        const TensorEntry entries[] = {{"x", Dtype::F32, {2, 3}, some.first(24)},
                                       {"y", Dtype::F32, {1, 32, 1, 1}, some.first(34), BlockFormat::Q8_0},
                                       {"z", Dtype::F16, {5}, some.first(10)},
                                       {"q", Dtype::F32, {256}, some.first(144), BlockFormat::Q4_K}};
        save_gguf(path(), entries, {{"general.architecture", "test"}});
        std::string file(as_text(MappedFile(path()).bytes()));
        return file.substr(0, file.size() - 16);   // without the padding after the last tensor
    }

private slots:
    void unpacks_as_numpy_does_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"}) QTest::newRow(name) << name;
    }
    void unpacks_as_numpy_does() {
        QFETCH(QString, name);
        const Checkpoint file = golden();
        const TensorEntry* blocks = file.find(name.toStdString());
        const TensorEntry* expected = file.find(name.toStdString() + ".expected");
        QVERIFY(blocks && expected && blocks->blocks == parse_block_format(name.toStdString()));
        const std::vector<float> got = entry_floats(*blocks), wanted = entry_floats(*expected);
        QCOMPARE(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i)   // the same products and sums, perhaps fused
            QVERIFY2(std::abs(got[i] - wanted[i]) <= 1e-6f * (std::abs(wanted[i]) + 1), qPrintable(QString("element %1").arg(i)));
        // from the middle of one block to the middle of another
        std::vector<float> part(700);
        unpack(*blocks->blocks, used_bytes(*blocks).data(), 345, part);
        QVERIFY(std::equal(part.begin(), part.end(), got.begin() + 345));
    }

    void the_container() {
        const Checkpoint file = golden();
        QCOMPARE(file.format(), std::string("gguf 3"));
        QVERIFY(file.find("Q4_0")->shape == Shape({3, 512}));        // extents are reversed
        QVERIFY(file.find("Q8_0")->shape == Shape({3, 128, 2, 2}));  // what ggml's tensors could not say
        const std::map<std::string, std::string> expected{
            {"general.architecture", "test"}, {"a.u8", "200"}, {"a.i8", "-7"}, {"a.u16", "65535"}, {"a.i16", "-300"},
            {"a.u32", "4000000000"}, {"a.i32", "-5"}, {"a.f32", "0.5"}, {"a.bool", "true"}, {"a.u64", "1152921504606846976"},
            {"a.i64", "-1152921504606846976"}, {"a.f64", "-0.25"}, {"a.list", "[1, -2, 3]"}, {"a.words", "[one, two]"},
            {"a.lists", "[[9], []]"}, {"a.many", "(100 items)"}};
        for (const auto& [key, value] : expected)
            QVERIFY2(file.metadata().contains(key) && file.metadata().at(key) == value, key.c_str());
        QCOMPARE(file.metadata().size(), expected.size());
    }

    // --- files that are cut short, changed or made up: refused with a reason, or read; never anything worse ---

    void every_truncation_is_refused() {
        const std::string whole = small_file();
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const std::string got = refusal(whole.substr(0, length));
            QVERIFY2(!got.empty() && !got.starts_with("code"), qPrintable(QString("cut to %1: %2").arg(length).arg(got.c_str())));
        }
        QVERIFY(refusal(whole).empty());
    }

    void every_bit_flip_is_refused_or_harmless() {
        const std::string whole = small_file();
        for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
            std::string changed = whole;
            changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
            const std::string got = refusal(changed);
            QVERIFY2(!got.starts_with("code"), qPrintable(QString("bit %1: %2").arg(bit).arg(got.c_str())));
        }
    }

    void made_up_files_are_refused_by_name() {
        const auto number = [](std::uint64_t value, int bytes) {
            std::string text;
            for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
            return text;
        };
        const auto text = [&](const std::string& value) { return number(value.size(), 8) + value; };
        const auto file = [&](std::uint64_t tensors, std::uint64_t keys, const std::string& rest, std::uint64_t version = 3) {
            return "GGUF" + number(version, 4) + number(tensors, 8) + number(keys, 8) + rest;
        };
        const auto tensor = [&](const std::string& name, std::vector<std::uint64_t> extents, std::uint64_t type, std::uint64_t offset) {
            std::string record = text(name) + number(extents.size(), 4);
            for (const std::uint64_t extent : extents) record += number(extent, 8);
            return record + number(type, 4) + number(offset, 8);
        };
        const std::string data(64, '\0');
        const std::pair<std::string, const char*> cases[] = {
            {file(0, 0, data, 1), "version 2 or 3"},
            {file(0, 0, data, 0x03000000), "big-endian"},
            {file(1ull << 60, 0, data), "as many tensors"},
            {file(0, 1ull << 60, data), "as many keys"},
            {file(0, 2, text("a") + number(0, 4) + number(1, 1) + text("a") + number(0, 4) + number(1, 1) + data), "every key once"},
            {file(0, 1, text("a") + number(77, 4) + data), "a known type of value"},
            {file(0, 1, text("general.alignment") + number(4, 4) + number(24, 4) + data), "a power of two"},
            {file(0, 1, text("a") + number(9, 4) + number(8, 4) + number(1ull << 61, 8) + data), "as many items"},
            {file(1, 0, tensor("x", {4}, 99, 0) + data + data), "got type 99"},
            {file(1, 0, tensor("x", {1ull << 40, 1ull << 40}, 0, 0) + data), "fewer than 2^64 bytes"},
            {file(1, 0, tensor("x", {33}, 8, 0) + data + data), "rows of whole Q8_0 blocks"},
            {file(1, 0, tensor("x", {4}, 0, 8) + data + data), "at a multiple of 32"},
            {file(1, 0, tensor("x", {4}, 0, 1ull << 50) + data), "inside"},
            {file(2, 0, tensor("x", {16}, 0, 0) + tensor("y", {4}, 0, 32) + data + data), "apart from one another"},
            {file(2, 0, tensor("x", {4}, 0, 0) + tensor("x", {4}, 0, 32) + data + data), "once"},
            {file(1, 1, text("comfy.gguf.orig_shape.x") + number(9, 4) + number(5, 4) + number(1, 8) + number(5, 4) + tensor("x", {4}, 0, 0) + data + data),
             "as the shape of"},
        };
        for (const auto& [bytes, reason] : cases) {
            const std::string got = refusal(bytes);
            QVERIFY2(got.find(reason) != std::string::npos, qPrintable(QString("expected %1, got %2").arg(reason, got.c_str())));
        }
        // A type that is known by size only is listed, and named when its tensor is used.
        QCOMPARE(refusal(file(1, 0, tensor("x", {256}, 16, 0) + data + data)), std::string());
        const Checkpoint listed = open_checkpoint(path());
        QCOMPARE(type_name(*listed.find("x")), std::string("IQ2_XXS"));
        QVERIFY_THROWS_EXCEPTION(Error, used_bytes(*listed.find("x")));
    }

    void written_files_read_back() {
        std::vector<float> values = tests::random_floats(3 * 512, 7);
        const std::vector<std::byte> q8 = pack(BlockFormat::Q8_0, values), q4 = pack(BlockFormat::Q4_K, values);
        const auto floats = std::as_bytes(std::span(values));
        std::vector<TensorEntry> entries{{"scalar", Dtype::F32, {}, floats.first(4)},
                                         {"empty", Dtype::F16, {0, 4}, {}},
                                         {"video", Dtype::I32, {2, 2, 2, 2, 2}, floats.first(128)},
                                         {"rows", Dtype::F32, {3, 512}, q8, BlockFormat::Q8_0},
                                         {"kernel", Dtype::F32, {32, 16, 3, 1}, q4, BlockFormat::Q4_K},
                                         {"half", Dtype::BF16, {3}, floats.first(6)}};
        save_gguf(path(), entries, {{"general.architecture", "test"}, {"note", "caf\xc3\xa9"}});
        const Checkpoint file = open_checkpoint(path());
        QCOMPARE(file.metadata().at("note"), std::string("caf\xc3\xa9"));
        QCOMPARE(file.metadata().at("general.quantization_version"), std::string("2"));
        QCOMPARE(file.entries().size(), entries.size());
        for (const TensorEntry& entry : entries) {
            const TensorEntry* read = file.find(entry.name);
            QVERIFY2(read && read->dtype == entry.dtype && read->shape == entry.shape && read->blocks == entry.blocks, entry.name.c_str());
            QVERIFY(std::ranges::equal(used_bytes(*read), entry.bytes));
        }
        const std::string first(as_text(MappedFile(path()).bytes()));
        save_gguf(path(), entries, {{"general.architecture", "test"}, {"note", "caf\xc3\xa9"}});
        QVERIFY(std::string(as_text(MappedFile(path()).bytes())) == first);
        const TensorEntry wrong[] = {{"a", Dtype::U8, {4}, floats.first(4)}, {"a", Dtype::F32, {4}, floats.first(4)},
                                     {"a", Dtype::F32, {33}, q8, BlockFormat::Q8_0}};
        for (const TensorEntry& entry : wrong) QVERIFY_THROWS_EXCEPTION(Error, save_gguf(path(), std::span(&entry, 1)));
        QVERIFY(std::string(as_text(MappedFile(path()).bytes())) == first);   // a failed save leaves the old file
    }

    void quantising_a_model() {
        const std::vector<float> values = tests::random_floats(64 * 512, 9, -0.1, 0.1);
        const auto floats = std::as_bytes(std::span(values));
        const TensorEntry entries[] = {{"block.weight", Dtype::F32, {64, 512}, floats},
                                       {"block.bias", Dtype::F32, {512}, floats.first(2048)},
                                       {"odd.weight", Dtype::F32, {33, 33}, floats.first(33 * 33 * 4)},
                                       {"out.weight", Dtype::F32, {4, 64, 3, 3}, floats.first(4 * 64 * 9 * 4)},
                                       {"conv.weight", Dtype::F32, {32, 64, 3, 3}, floats.first(32 * 64 * 9 * 4)},
                                       {"token_embedding.weight", Dtype::F32, {64, 512}, floats},
                                       {"ids", Dtype::U8, {5}, floats.first(5)}};
        save_safetensors(path(), entries, {{"format", "pt"}});
        const Checkpoint from = open_checkpoint(path());
        const std::string to = folder_.filePath("q.gguf").toStdString();
        for (const auto& [format, bound] : {std::pair{BlockFormat::Q8_0, 0.006}, {BlockFormat::Q4_K, 0.08}}) {
            save_quantized(to, from, format);
            const Checkpoint made = open_checkpoint(to);
            const auto type = [&](const char* name) { return type_name(*made.find(name)); };
            QCOMPARE(type("block.weight"), std::string(name_of(format)));
            QCOMPARE(type("conv.weight"), std::string(name_of(format)));
            QCOMPARE(type("block.bias"), std::string("F32"));
            for (const char* name : {"odd.weight", "out.weight", "token_embedding.weight"}) QCOMPARE(type(name), std::string("F16"));
            QCOMPARE(type("ids"), std::string("I32"));
            for (const TensorEntry& entry : from.entries()) {
                QVERIFY(made.find(entry.name)->shape == entry.shape);
                if (entry.dtype == Dtype::F32) QVERIFY2(relative(entry_floats(*made.find(entry.name)), entry_floats(entry)) < bound, entry.name.c_str());
            }
            QCOMPARE(made.metadata().at("format"), std::string("pt"));
        }
    }

    void eight_bit_floats_in_safetensors() {
        const std::vector<std::byte> bytes(6, std::byte{0x38});
        const TensorEntry entries[] = {{"a", Dtype::F32, {2, 3}, bytes, BlockFormat::F8_E4M3}, {"b", Dtype::F32, {6}, bytes, BlockFormat::F8_E5M2}};
        save_safetensors(path(), entries);
        const Checkpoint file = open_checkpoint(path());
        QCOMPARE(type_name(*file.find("a")), std::string("F8_E4M3"));
        QVERIFY(entry_floats(*file.find("a")) == std::vector<float>(6, 1.0f));
        QVERIFY(entry_floats(*file.find("b")) == std::vector<float>(6, 0.5f));
        const std::vector<std::byte> q8(34);
        const TensorEntry wrong{"q", Dtype::F32, {32}, q8, BlockFormat::Q8_0};
        QVERIFY_THROWS_EXCEPTION(Error, save_safetensors(path(), std::span(&wrong, 1)));
    }

    void damaged_bytes_of_a_pickle_are_found_when_used() {
        const std::string source = std::string(HEDDLE_SOURCE_DIR) + "/tests/golden/pickle/state_dict_zip.pt";
        std::string bytes(as_text(MappedFile(source).bytes()));
        const Checkpoint whole = open_checkpoint(source);
        const TensorEntry* entry = nullptr;
        for (const TensorEntry& candidate : whole.entries())
            if (!entry && candidate.unverified && candidate.bytes.size() >= 8) entry = &candidate;
        QVERIFY(entry);
        QVERIFY(!used_bytes(*entry).empty());
        const std::size_t at = bytes.find(std::string(as_text(entry->bytes)));
        QVERIFY(at != std::string::npos);
        bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 4);
        QCOMPARE(refusal(bytes), std::string());   // opening reads no weights
        const Checkpoint damaged = open_checkpoint(path());
        for (int again = 0; again < 2; ++again) QVERIFY_THROWS_EXCEPTION(Error, used_bytes(*damaged.find(entry->name)));
    }

    void eight_bit_floats() {
        std::vector<std::byte> all(256);
        for (int i = 0; i < 256; ++i) all[i] = static_cast<std::byte>(i);
        std::vector<float> e4m3(256), e5m2(256);
        unpack(BlockFormat::F8_E4M3, all.data(), 0, e4m3);
        unpack(BlockFormat::F8_E5M2, all.data(), 0, e5m2);
        const auto is = [](float got, float wanted) { return got == wanted; };
        QVERIFY(is(e4m3[0x7e], 448) && is(e4m3[0x38], 1) && is(e4m3[0xb9], -1.125f) && is(e4m3[0x01], 0x1p-9f) && is(e4m3[0x08], 0x1p-6f));
        QVERIFY(std::isnan(e4m3[0x7f]) && std::isnan(e4m3[0xff]) && std::signbit(e4m3[0x80]));
        QVERIFY(is(e5m2[0x7b], 57344) && is(e5m2[0x3c], 1) && is(e5m2[0xbd], -1.25f) && is(e5m2[0x01], 0x1p-16f));
        QVERIFY(std::isinf(e5m2[0x7c]) && std::isnan(e5m2[0x7d]));
    }

    void packing_stays_near() {
        const std::vector<float> values = tests::random_floats(4096, 5, -0.2, 0.3);
        std::vector<float> back(values.size());
        const std::vector<std::byte> q8 = pack(BlockFormat::Q8_0, values);
        QCOMPARE(q8.size(), values.size() / 32 * 34);
        unpack(BlockFormat::Q8_0, q8.data(), 0, back);
        for (std::size_t i = 0; i < values.size(); ++i) QVERIFY(std::abs(back[i] - values[i]) <= 0.3 / 127 * 0.5 * 1.01);
        QVERIFY(relative(back, values) < 0.006);
        const std::vector<std::byte> q4 = pack(BlockFormat::Q4_K, values);
        unpack(BlockFormat::Q4_K, q4.data(), 0, back);
        for (std::size_t i = 0; i < values.size(); ++i) QVERIFY(std::abs(back[i] - values[i]) <= 0.5 / 15);   // a step of the grid
        QVERIFY(relative(back, values) < 0.075);
        QVERIFY(pack(BlockFormat::Q4_K, values) == q4);
        // what a grid can hold comes back as it was
        std::vector<float> again(values.size());
        unpack(BlockFormat::Q8_0, pack(BlockFormat::Q8_0, std::vector<float>(64, 0.0f)).data(), 0, std::span(again).first(64));
        QVERIFY(std::all_of(again.begin(), again.begin() + 64, [](float x) { return x == 0; }));
    }

    void packing_takes_normal_weights_in_its_stride() {
        // Sums of uniform numbers are near enough to the bell that weights have.
        std::vector<float> values(8192, 0), back(8192);
        for (int i = 0; i < 12; ++i) {
            const auto more = tests::random_floats(values.size(), 20 + i, -0.02, 0.02);
            for (std::size_t k = 0; k < values.size(); ++k) values[k] += more[k];
        }
        unpack(BlockFormat::Q8_0, pack(BlockFormat::Q8_0, values).data(), 0, back);
        QVERIFY(relative(back, values) < 0.008);
        unpack(BlockFormat::Q4_K, pack(BlockFormat::Q4_K, values).data(), 0, back);
        QVERIFY2(relative(back, values) < 0.09, qPrintable(QString::number(relative(back, values))));
    }

    void packing_refuses_what_it_cannot_hold() {
        const std::vector<float> whole(256, 1.0f);
        const auto code = [](auto run) {
            try {
                run();
            } catch (const Error& error) {
                return error.code();
            }
            return ErrorCode::Failure;
        };
        QCOMPARE(code([&] { pack(BlockFormat::Q6_K, whole); }), ErrorCode::InvalidGraph);
        QCOMPARE(code([&] { pack(BlockFormat::Q8_0, std::span(whole).first(33)); }), ErrorCode::InvalidGraph);
        for (const float bad : {NAN, INFINITY, 3e38f}) {
            std::vector<float> values = whole;
            values[100] = bad;
            QCOMPARE(code([&] { pack(BlockFormat::Q8_0, values); }), ErrorCode::Numeric);
            QCOMPARE(code([&] { pack(BlockFormat::Q4_K, values); }), ErrorCode::Numeric);
        }
    }

    // The arena holds no unpacked weight, nor a widened one.
    void weights_are_read_where_they_lie() {
        const auto bytes = std::make_shared<std::vector<std::byte>>(bytes_of(BlockFormat::Q4_K, 1024 * 1024));
        const Tensor blocks = leaf({{static_cast<std::int64_t>(bytes->size())}, Dtype::U8}, *bytes, bytes);
        const auto halves = std::make_shared<std::vector<std::uint16_t>>(1024 * 1024);
        const Tensor half = cast(leaf({{1024, 1024}, Dtype::F16}, std::as_bytes(std::span(*halves)), halves), Dtype::F32);
        const Tensor x = tests::random_tensor({4, 1024}, 1), map = tests::random_tensor({1, 64, 4, 4}, 2);
        for (const bool host : {true, false}) {
            DeviceTraits traits;
            traits.host_kernels = host;
            for (const Tensor& weight : {dequantize(blocks, BlockFormat::Q4_K, {1024, 1024}), half}) {
                const Tensor y = matmul(relu(matmul(x, transpose(weight, 0, 1))), weight);
                const Tensor z = conv2d(map, reshape(weight, {1024, 64, 4, 4}));
                const Program program = make_plan(collect({y, z}), traits, true);
                QVERIFY2(program.arena_bytes < 100000, to_text(program).c_str());
                // Products alone read the weights: no step unpacks or copies one.
                for (const Step& step : program.steps)
                    for (const Operand& read : step.reads)
                        QVERIFY2(step.core >= 0 || program.nodes[read.root].leaf < 0 || element_count(program.nodes[read.root].spec.shape) < 100000,
                                 to_text(program).c_str());
            }
        }
    }
};

HEDDLE_TEST(blocks, BlocksTest)
#include "blocks.moc"
