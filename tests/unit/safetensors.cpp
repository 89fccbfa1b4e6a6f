#include <QFile>
#include <QTemporaryDir>
#include <cstring>
#include <random>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"
#include "gpu/io/mapped_file.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

std::string with_header(const std::string& header, std::size_t data_bytes) {
    std::string file(8, '\0');
    for (int i = 0; i < 8; ++i) file[i] = char(std::uint64_t(header.size()) >> (8 * i));
    return file + header + std::string(data_bytes, 'd');
}

template <typename T>
std::vector<T> values_of(const TensorEntry& entry) {
    std::vector<T> values(entry.bytes.size() / sizeof(T));
    std::memcpy(values.data(), entry.bytes.data(), entry.bytes.size());
    return values;
}

}  // namespace

class SafetensorsTest : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;
    std::string path() const { return folder_.filePath("a.safetensors").toStdString(); }

    // The message of the BadFile error that these bytes get; empty when they open.
    std::string refusal(const std::string& bytes) const {
        // Neither AtomicFile nor an overwritten file, for which some file systems wait for the disk: this is called
        // thousands of times.
        QFile file(folder_.filePath("a.safetensors"));
        file.remove();
        if (!file.open(QFile::WriteOnly) || file.write(bytes.data(), qint64(bytes.size())) != qint64(bytes.size()))
            return "the test could not write its file";
        file.close();
        try {
            open_checkpoint(path());
        } catch (const Error& error) {
            if (error.code() != ErrorCode::BadFile) return std::string("code ") + to_string(error.code());
            return error.what();
        }
        return {};
    }

    // A file with every type, written by save_safetensors.
    std::string small_file() const {
        const std::vector<std::byte> bytes(64, std::byte{1});
        std::vector<TensorEntry> entries;
        for (int row = 0; row <= int(Dtype::Bool); ++row) {
            const auto dtype = static_cast<Dtype>(row);
            entries.push_back({std::string(name_of(dtype)), dtype, {3, 1}, std::span(bytes).first(3 * size_of(dtype))});
        }
        save_safetensors(path(), entries, {{"a", "b"}, {"quote\"", "line\n"}});
        return std::string(as_text(MappedFile(path()).bytes()));
    }

private slots:
    void round_trip() {
        const float floats[] = {1.5f, -2.0f, 3.25f, 0.0f, 5.0f, 6.0f};
        const std::int64_t ints[] = {-1, std::int64_t(1) << 40};
        const std::uint8_t bools[] = {1, 0, 1};
        const std::vector<TensorEntry> entries{
            {"z.bools", Dtype::Bool, {3}, std::as_bytes(std::span(bools))},
            {"b \"quoted\" \xc3\xa9", Dtype::F32, {2, 3}, std::as_bytes(std::span(floats))},
            {"scalar", Dtype::F32, {}, std::as_bytes(std::span(floats).first(1))},
            {"empty", Dtype::F16, {4, 0}, {}},
            {"ints", Dtype::I64, {2}, std::as_bytes(std::span(ints))},
        };
        save_safetensors(path(), entries, {{"format", "pt"}, {"ss_tag", "{\"x\": 1}"}});
        const Checkpoint checkpoint = open_checkpoint(path());
        QCOMPARE(checkpoint.format(), std::string("safetensors"));
        QCOMPARE(checkpoint.path(), path());
        QCOMPARE(checkpoint.entries().size(), entries.size());
        QCOMPARE(checkpoint.metadata().at("ss_tag"), std::string("{\"x\": 1}"));
        for (const TensorEntry& entry : entries) {
            const TensorEntry* read = checkpoint.find(entry.name);
            QVERIFY(read && read->dtype == entry.dtype && read->shape == entry.shape);
            QVERIFY(std::ranges::equal(read->bytes, entry.bytes));
            QCOMPARE(reinterpret_cast<std::uintptr_t>(read->bytes.data()) % size_of(entry.dtype), 0u);
        }
        QVERIFY(!checkpoint.find("none"));
        QCOMPARE(checkpoint.entries()[0].name, std::string("ints"));
    }

    void same_tensors_same_bytes() {
        const std::string first = small_file();
        const Checkpoint checkpoint = open_checkpoint(path());
        std::vector<TensorEntry> entries(checkpoint.entries().rbegin(), checkpoint.entries().rend());
        // The new file replaces the one that its bytes come from.
        save_safetensors(path(), entries, checkpoint.metadata());
        QVERIFY(std::string(as_text(MappedFile(path()).bytes())) == first);
    }

    void bytes_outlive_the_checkpoint() {
        small_file();
        auto checkpoint = std::make_unique<Checkpoint>(open_checkpoint(path()));
        const auto bytes = checkpoint->find("F32")->bytes;
        const auto owner = checkpoint->owner();
        checkpoint.reset();
        QVERIFY(bytes[0] == std::byte{1});
    }

    void no_tensors_is_a_file_too() {
        save_safetensors(path(), {}, {});
        QVERIFY(open_checkpoint(path()).entries().empty());
        QVERIFY(refusal(with_header("{}", 0)).empty());
    }

    void the_writer_checks_its_input() {
        const std::vector<std::byte> bytes(8);
        const TensorEntry good{"a", Dtype::F32, {2}, bytes};
        const TensorEntry short_bytes{"a", Dtype::F32, {3}, bytes};
        const TensorEntry reserved{"__metadata__", Dtype::F32, {2}, bytes};
        const TensorEntry not_utf8{"\xff", Dtype::F32, {2}, bytes};
        for (const std::vector<TensorEntry>& entries :
             {std::vector{good, good}, std::vector{short_bytes}, std::vector{reserved}, std::vector{not_utf8}})
            QVERIFY_THROWS_EXCEPTION(Error, save_safetensors(folder_.filePath("b").toStdString(), entries));
        QVERIFY(!QFile::exists(folder_.filePath("b")));
    }

    void lies_are_refused_data() {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QString>("message");
        const auto row = [](const char* name, const std::string& header, std::size_t bytes, const char* message) {
            QTest::newRow(name) << QByteArray::fromStdString(with_header(header, bytes)) << QString(message);
        };
        const auto one = [&](const char* name, const std::string& fields, const char* message) {
            row(name, R"({"t":)" + fields + "}", 8, message);
        };
        one("past the end", R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})", "inside 8 bytes");
        one("far past the end",
            R"({"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]})", "below 2^63");
        one("hole at the start", R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})", "a hole");
        one("trailing data", R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "expected 4 bytes of data, got 8");
        one("falling offsets", R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", "rising");
        one("bytes do not fit the shape", R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", "12 bytes");
        one("negative extent", R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", "number -2");
        one("fractional extent", R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})", "number 2.0");
        one("product overflows", R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})", "2^64");
        one("bytes overflow", R"({"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,8]})", "2^64");
        one("unknown dtype", R"({"dtype":"F4_E2M1","shape":[8],"data_offsets":[0,8]})", "F4_E2M1");
        one("dtype is a number", R"({"dtype":4,"shape":[2],"data_offsets":[0,8]})", "a text as dtype of tensor \"t\"");
        one("shape is a text", R"({"dtype":"F32","shape":"2","data_offsets":[0,8]})", "a list as shape");
        one("nested shape", R"({"dtype":"F32","shape":[[2]],"data_offsets":[0,8]})", "integers");
        one("one offset", R"({"dtype":"F32","shape":[2],"data_offsets":[8]})", "2 data_offsets");
        one("three offsets", R"({"dtype":"F32","shape":[2],"data_offsets":[0,4,8]})", "2 data_offsets");
        one("no shape", R"({"dtype":"F32","data_offsets":[0,8]})", "not all");
        one("a field twice", R"({"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]})", "twice");
        one("a tensor that is a number", "7", "an object for \"t\"");
        one("a tensor that is null", "null", "got null");
        row("overlap",
            R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
            8, "overlaps");
        row("a name twice",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
            2, "twice");
        row("a list as header", "[1, 2]", 0, "JSON object");
        row("a text as header", "\"{}\"", 0, "JSON object");
        row("no JSON", "{\"a\":", 0, "JSON");
        row("two values", "{} {}", 0, "JSON");
        row("a zero byte", std::string("{}\0{}", 5), 0, "zero byte");
        row("no UTF-8", "{\"\xff\":1}", 0, "JSON");
        row("metadata with a number", R"({"__metadata__":{"a":1}})", 0, "texts in __metadata__");
        row("metadata is a list", R"({"__metadata__":[]})", 0, "an object for \"__metadata__\"");
        row("deep nesting", "{\"a\":" + std::string(100000, '[') + "}", 0, "object");
        QTest::newRow("huge header") << QByteArray("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10) << "100000000";
        QTest::newRow("header past the end") << QByteArray("\x40\0\0\0\0\0\0\0{}", 10) << "64 bytes of header";
        QTest::newRow("empty") << QByteArray() << "an empty file";
        QTest::newRow("a web page") << QByteArray("<!DOCTYPE html><html></html>") << "a web page";
        QTest::newRow("not downloaded") << QByteArray("version https://git-lfs.github.com/spec/v1\n") << "Git LFS";
    }

    void lies_are_refused() {
        QFETCH(QByteArray, file);
        QFETCH(QString, message);
        const std::string got = refusal(file.toStdString());
        QVERIFY2(QString::fromStdString(got).contains(message), got.c_str());
        QVERIFY2(QString::fromStdString(got).contains(QString::fromStdString(path())), got.c_str());
    }

    void unknown_fields_are_skipped() {
        QCOMPARE(
            refusal(with_header(R"({"t":{"new":[{"a":[1]},null,-1],"dtype":"U8","more":{"shape":3},"shape":[1],"x":true,
                                        "data_offsets":[0,1]}})",
                                1)),
            std::string());
    }

    void every_truncation_is_refused() {
        const std::string whole = small_file();
        QVERIFY(refusal(whole).empty());
        for (std::size_t length = 0; length < whole.size(); ++length)
            QVERIFY2(!refusal(whole.substr(0, length)).empty(), std::to_string(length).c_str());
        QVERIFY(!refusal(whole + "x").empty());
    }

    void flipped_bits_never_crash() {
        const std::string whole = small_file();
        std::mt19937 random(11);
        int opened = 0;
        for (int round = 0; round < 4000; ++round) {
            std::string file = whole;
            for (int flips = 1 + int(random() % 3); flips > 0; --flips)
                file[random() % file.size()] ^= char(1 << (random() % 8));
            const std::string got = refusal(file);
            QVERIFY2(!got.starts_with("code "), got.c_str());
            if (!got.empty()) continue;
            ++opened;
            unsigned sum = 0;
            const Checkpoint checkpoint = open_checkpoint(path());
            for (const TensorEntry& entry : checkpoint.entries())
                for (const std::byte byte : entry.bytes) sum += unsigned(byte);
            QVERIFY(sum < UINT_MAX);
        }
        QVERIFY(opened > 0 && opened < 4000);  // a flip in the data goes unseen, one in the header does not
    }

    void a_missing_file_says_so() {
        try {
            open_checkpoint(folder_.filePath("none").toStdString());
            QFAIL("it opened");
        } catch (const Error& error) {
            QVERIFY(error.code() == ErrorCode::MissingFile);
            QVERIFY(error.message().find("none") != std::string::npos);
        }
    }

    // The sums were computed by PyTorch in double precision.
    void published_files_open() {
        const std::string shared = tests::shared_dir();
        if (shared.empty()) QSKIP("shared/real is not here");
        const Checkpoint decoder = open_checkpoint(shared + "/real/tae/taef1_decoder.safetensors");
        const Checkpoint encoder = open_checkpoint(shared + "/real/tae/taef1_encoder.safetensors");
        const Checkpoint lora = open_checkpoint(shared + "/real/lora/analog_svd_rank4.safetensors");
        QVERIFY(open_checkpoint(shared + "/real/lora/lora_disney.safetensors").find("<s1>"));
        QCOMPARE(decoder.entries().size(), 67u);
        QCOMPARE(encoder.entries().size(), 67u);
        QCOMPARE(lora.entries().size(), 384u);
        QCOMPARE(lora.metadata().size(), 194u);
        QCOMPARE(decoder.entries()[1].name, std::string("1.weight"));
        QVERIFY(decoder.entries()[1].shape == (Shape{64, 16, 3, 3}));

        const auto sum = [](const TensorEntry* entry, float (*decode)(std::uint16_t)) {
            double total = 0;
            for (const std::uint16_t value : values_of<std::uint16_t>(*entry)) total += decode(value);
            return total;
        };
        QCOMPARE(bf16_to_float(values_of<std::uint16_t>(*decoder.find("1.bias"))[2]), -0.2490234375f);
        QCOMPARE(sum(decoder.find("1.weight"), bf16_to_float), -11.712846465408802);
        QCOMPARE(sum(decoder.find("9.conv.4.weight"), bf16_to_float), 394.86628288030624);
        QCOMPARE(sum(encoder.find("0.weight"), bf16_to_float), 1.1978216171264648);
        QCOMPARE(sum(lora.find("text_encoder:0:down"), f16_to_float), 1.761831283569336);
        QCOMPARE(sum(lora.find("unet:9:up"), f16_to_float), -0.020259499549865723);
    }
};

HEDDLE_TEST(safetensors, SafetensorsTest)
#include "safetensors.moc"
