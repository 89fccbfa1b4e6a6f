#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <cstring>
#include <random>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"
#include "gpu/io/pickle_machine.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

QString stored(const QString& name) { return QString(HEDDLE_SOURCE_DIR "/tests/golden/pickle/") + name; }

QByteArray content(const QString& path) {
    QFile file(path);
    return file.open(QFile::ReadOnly) ? file.readAll() : QByteArray();
}

template <typename T>
std::vector<T> values_of(const TensorEntry& entry) {
    std::vector<T> values(entry.bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), entry.bytes.data(), entry.bytes.size());
    return values;
}

std::vector<float> floats_of(const Checkpoint& checkpoint, const char* name) {
    const TensorEntry* entry = checkpoint.find(name);
    return entry && entry->dtype == Dtype::F32 ? values_of<float>(*entry) : std::vector<float>{-1};
}

QStringList names_of(const Checkpoint& checkpoint) {
    QStringList names;
    for (const TensorEntry& entry : checkpoint.entries()) names += QString::fromStdString(entry.name);
    return names;
}

std::string le32(std::uint32_t value) { return std::string(reinterpret_cast<const char*>(&value), 4); }

// A pickle that starts as torch.save's legacy form does, so that `object` is what gets interpreted.
std::string legacy(const std::string& object) {
    using namespace std::string_literals;
    return "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s + "\x80\x02M\xe9\x03."s +
           "\x80\x02}X\x0d\0\0\0little_endian\x88s."s + object + "\x80\x02]."s;
}

}  // namespace

class PickleTest : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;
    QString path() const { return folder_.filePath("model.pt"); }

    static Checkpoint open(const QString& name) { return open_checkpoint(stored(name).toStdString()); }

    // The message of the BadFile error that these bytes get; empty when they open.
    QString refusal(const QByteArray& bytes) const {
        QFile file(path());
        file.remove();  // some file systems wait for the disk when a file is overwritten, thousands of times here
        if (!file.open(QFile::WriteOnly) || file.write(bytes) != bytes.size())
            return "the test could not write its file";
        file.close();
        return refusal(path());
    }
    QString refusal(const std::string& bytes) const { return refusal(QByteArray::fromStdString(bytes)); }
    static QString refusal(const QString& path) {
        try {
            const Checkpoint checkpoint = open_checkpoint(path.toStdString());
            unsigned sum = 0;  // every byte that was promised must be there
            for (const TensorEntry& entry : checkpoint.entries())
                for (const std::byte byte : entry.bytes) sum += unsigned(byte);
            return sum == 0xfeedbeef ? "" : QString();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::BadFile)
                return QString("code %1: %2").arg(to_string(error.code()), error.what());
            return error.what();
        }
    }

    static void both_forms() {
        QTest::addColumn<QString>("form");
        QTest::addColumn<QString>("format");
        QTest::newRow("zip") << "zip"
                             << "pickle";
        QTest::newRow("legacy") << "legacy"
                                << "legacy pickle";
    }

private slots:
    void types_data() { both_forms(); }
    void types() {
        QFETCH(QString, form);
        QFETCH(QString, format);
        const Checkpoint checkpoint = open("types_" + form + ".pt");
        QCOMPARE(QString::fromStdString(checkpoint.format()), format);
        QCOMPARE(checkpoint.entries().size(), 10u);
        const std::map<std::string, Dtype> expected{
            {"float32", Dtype::F32}, {"float16", Dtype::F16}, {"bfloat16", Dtype::BF16}, {"float64", Dtype::F64},
            {"int64", Dtype::I64},   {"int32", Dtype::I32},   {"int16", Dtype::I16},     {"int8", Dtype::I8},
            {"uint8", Dtype::U8},    {"bool", Dtype::Bool}};
        for (const auto& [name, dtype] : expected) {
            const TensorEntry* entry = checkpoint.find(name);
            QVERIFY(entry && entry->dtype == dtype && entry->shape == (Shape{1, 3}));
            QCOMPARE(entry->bytes.size(), 3 * size_of(dtype));
        }
        QVERIFY(floats_of(checkpoint, "float32") == (std::vector<float>{1, 0, 3}));
        QCOMPARE(f16_to_float(values_of<std::uint16_t>(*checkpoint.find("float16"))[2]), 3.0f);
        QCOMPARE(bf16_to_float(values_of<std::uint16_t>(*checkpoint.find("bfloat16"))[2]), 3.0f);
        QCOMPARE(values_of<double>(*checkpoint.find("float64"))[2], 3.0);
        QCOMPARE(values_of<std::int64_t>(*checkpoint.find("int64"))[2], 3);
        QCOMPARE(values_of<std::int32_t>(*checkpoint.find("int32"))[2], 3);
        QCOMPARE(int(values_of<std::int16_t>(*checkpoint.find("int16"))[2]), 3);
        QCOMPARE(int(values_of<std::uint8_t>(*checkpoint.find("bool"))[2]), 1);
    }

    void views_data() { both_forms(); }
    void views() {
        QFETCH(QString, form);
        const Checkpoint checkpoint = open("views_" + form + ".pt");
        std::vector<float> base(24), transposed, permuted;
        for (int i = 0; i < 24; ++i) base[i] = float(i);
        for (int column = 0; column < 6; ++column)
            for (int row = 0; row < 4; ++row) transposed.push_back(float(row * 6 + column));
        for (int c = 0; c < 4; ++c)
            for (int a = 0; a < 2; ++a)
                for (int b = 0; b < 3; ++b) permuted.push_back(float(a * 12 + b * 4 + c));
        QVERIFY(floats_of(checkpoint, "base") == base);
        QVERIFY(floats_of(checkpoint, "row") == (std::vector<float>{6, 7, 8, 9, 10, 11}));
        QVERIFY(floats_of(checkpoint, "transposed") == transposed);
        QVERIFY(checkpoint.find("transposed")->shape == (Shape{6, 4}));
        QVERIFY(floats_of(checkpoint, "step") == (std::vector<float>{1, 4, 13, 16}));
        QVERIFY(floats_of(checkpoint, "expanded") == std::vector<float>(6, 7.0f));
        QVERIFY(floats_of(checkpoint, "permuted") == permuted);
        QVERIFY(floats_of(checkpoint, "scalar") == std::vector<float>{2.5f} &&
                checkpoint.find("scalar")->shape.empty());
        QVERIFY(floats_of(checkpoint, "empty").empty() && checkpoint.find("empty")->shape == (Shape{0, 3}));
        QVERIFY(floats_of(checkpoint, "parameter") == (std::vector<float>{0, 1, 2}));
        // Storages are shared in place, not copied.
        QCOMPARE(checkpoint.find("row")->bytes.data() - checkpoint.find("base")->bytes.data(), 24);
    }

    void views_outlive_the_checkpoint() {
        auto checkpoint = std::make_unique<Checkpoint>(open("views_zip.pt"));
        const auto bytes = checkpoint->find("transposed")->bytes;
        const auto owner = checkpoint->owner();
        checkpoint.reset();
        float second = 0;
        std::memcpy(&second, bytes.data() + 4, 4);
        QCOMPARE(second, 6.0f);
    }

    void nested_data() { both_forms(); }
    void nested() {
        QFETCH(QString, form);
        const Checkpoint checkpoint = open("nested_" + form + ".ckpt");
        QCOMPARE(names_of(checkpoint),
                 (QStringList{"a.weight", "optimizer_states.0.state.0.step", "optimizer_states.0.groups.0.0"}));
        const std::map<std::string, std::string> expected{
            {"done", "true"},
            {"epoch", "3"},
            {"name", "run"},
            {"rate", "0.5"},
            {"pickle.unwrapped", "state_dict"},
            {"pickle.skipped", "callbacks.checkpoint (__main__.Callback)"}};
        QVERIFY(checkpoint.metadata() == expected);
    }

    void modules_data() { both_forms(); }
    void modules() {
        QFETCH(QString, form);
        const Checkpoint module = open("module_" + form + ".pt"), state_dict = open("state_dict_" + form + ".pt");
        QCOMPARE(names_of(module), (QStringList{"weight", "mean", "child.weight", "child.mean"}));
        QCOMPARE(names_of(module), names_of(state_dict));
        QVERIFY(floats_of(module, "child.mean") == (std::vector<float>{1, 2}));
    }

    void other_roots() {
        QCOMPARE(names_of(open("tensor.pt")), QStringList{"tensor"});
        QCOMPARE(names_of(open("list.pt")), (QStringList{"0", "1.0", "1.1.x"}));
        QCOMPARE(names_of(open("protocol4.pt")), (QStringList{"a", "b"}));
        QCOMPARE(names_of(open("embedding.pt")), QStringList{"string_to_param.*"});
        QCOMPARE(names_of(open("zip64.pt")), names_of(open("types_zip.pt")));
        QVERIFY(floats_of(open("zip64.pt"), "float32") == (std::vector<float>{1, 0, 3}));
    }

    void calls_are_refused_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("message");
        QTest::newRow("zip") << "evil_system_zip.pt"
                             << "calls posix.system; only tensors are read";
        QTest::newRow("legacy") << "evil_system_legacy.pt"
                                << "calls posix.system; only tensors are read";
        QTest::newRow("eval") << "evil_eval.pt"
                              << "calls __builtin__.eval; only tensors are read";
        QTest::newRow("popen") << "evil_popen.pt"
                               << "calls commands.Popen; only tensors are read";
        QTest::newRow("plain protocol 0") << "evil_plain0.bin"
                                          << "calls posix.system; only tensors are read";
        QTest::newRow("plain protocol 2") << "evil_plain2.bin"
                                          << "calls posix.system; only tensors are read";
        QTest::newRow("plain protocol 4") << "evil_plain4.bin"
                                          << "calls posix.system; only tensors are read";
        QTest::newRow("compressed") << "deflated.pt"
                                    << "compressed one (method 8)";
        QTest::newRow("big-endian") << "big_endian.pt"
                                    << "byteorder big";
        QTest::newRow("no model") << "other.zip"
                                  << "data.pkl";
    }
    void calls_are_refused() {
        QFETCH(QString, file);
        QFETCH(QString, message);
        QVERIFY(QFile::exists(stored(file)));
        const QString got = refusal(stored(file));
        QVERIFY2(got.contains(message) && got.contains(file), qPrintable(got));
    }

    void every_way_to_call_is_refused_data() {
        QTest::addColumn<QByteArray>("object");
        const auto row = [](const char* name, const std::string& object) {
            QTest::newRow(name) << QByteArray::fromStdString(object);
        };
        row("reduce", std::string("cos\nsystem\n(U\x02lstR."));
        row("inst", std::string("(U\x02lsios\nsystem\n."));
        row("obj", std::string("(cos\nsystem\nU\x02lso."));
        row("newobj", std::string("cos\nsystem\n(U\x02lst\x81."));
        row("newobj_ex", std::string("cos\nsystem\n(U\x02lst}\x92."));
        row("stack global", std::string("U\x02osU\x06system\x93(U\x02lstR."));
        row("build", std::string("cos\nsystem\n}b."));
        row("reconstructor", std::string("ccopy_reg\n_reconstructor\n(cos\nsystem\nNNtR."));
        row("tensor subclass", std::string("ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN(U\x02lstNtR."));
        row("subclass of itself", std::string("ctorch._tensor\n_rebuild_from_type_v2\nq\1(h\1N(h\1NNNtNtR."));
        row("nested pickle", std::string("ctorch.storage\n_load_from_bytes\n(U\x02lstR."));
        row("a placeholder", std::string("cfoo\nBar\n)R)R."));
        row("a text", std::string("U\x02os)R."));
        row("eval", std::string("cbuiltins\neval\n(U\x01\x31tR."));
        row("getattr", std::string("c__builtin__\ngetattr\n(cos\n__dict__\nU\x01\x61tR."));
        row("numpy", std::string("cnumpy.testing._private.utils\nrunstring\n(U\x01\x61}tR."));
        for (const char* module : {"os", "posix", "nt", "subprocess", "sys", "runpy", "importlib", "socket", "shutil",
                                   "webbrowser", "pickle", "ctypes", "torch.hub", "torch.serialization"})
            row(module, format("c{}\nload\n(U\x01xtR.", module));
    }
    void every_way_to_call_is_refused() {
        QFETCH(QByteArray, object);
        const QString got = refusal(legacy("\x80\x02" + object.toStdString()));
        QVERIFY2(!got.isEmpty() && !got.startsWith("code"), qPrintable(got));
    }

    void unknown_classes_become_placeholders() {
        // {"a": foo.Bar(1) with a state, "n": 7}: nothing to read, but nothing wrong either.
        const std::string object(
            "\x80\x02}(U\x01"
            "acfoo\nBar\n(K\x01tR}bU\x01nK\x07u.");
        QCOMPARE(refusal(legacy(object)), QString());
        const Checkpoint checkpoint = open_checkpoint(path().toStdString());
        QVERIFY(checkpoint.entries().empty());
        QCOMPARE(checkpoint.metadata().at("pickle.skipped"), std::string("a (foo.Bar)"));
        QCOMPARE(checkpoint.metadata().at("n"), std::string("7"));
    }

    // Pickles that are well formed and describe tensors that can not be.
    void impossible_tensors_are_refused_data() {
        using namespace std::string_literals;
        QTest::addColumn<QByteArray>("arguments");
        QTest::addColumn<QString>("message");
        // offset, shape, strides of a view of four floats
        const auto row = [](const char* name, const std::string& arguments, const char* message) {
            QTest::newRow(name) << QByteArray::fromStdString(arguments) << QString(message);
        };
        row("possible", "K\0(K\4t(K\1t"s, "");
        row("possible and empty", "K\4(K\0t(K\1t"s, "");
        row("past the end", "K\0(K\5t(K\1t"s, "inside its storage");
        row("offset past the end", "K\4(t(t"s, "inside its storage");
        row("empty past the end", "K\5(K\0t(K\1t"s, "inside its storage");
        row("strides past the end", "K\1(K\2t(K\3t"s, "inside its storage");
        row("negative offset", "J\xff\xff\xff\xff(t(t"s, "at least 0");
        row("negative stride", "K\3(K\2t(J\xff\xff\xff\xfft"s, "at least 0");
        row("fewer strides", "K\0(K\2t(t"s, "1 strides");
        row("shape of texts", "K\0(U\1xt(K\1t"s, "an integer");
        row("shape of None", "K\0N(K\1t"s, "a list of integers");
        row("40 axes", "K\0("s + std::string(40, '\x88') + "t(K\1t", "at most 32 axes");
        row("huge with stride 0", "K\0(J\xff\xff\xff\x7fK\7t(K\0K\0t"s, "not row-major");
        row("overflow", "K\0(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ft(K\0K\0K\0t"s, "2^63");
        row("strides overflow", "K\0(J\xff\xff\xff\x7fK\2t(\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\0t"s,
            "inside its storage");
    }
    void impossible_tensors_are_refused() {
        QFETCH(QByteArray, arguments);
        QFETCH(QString, message);
        const std::string object =
            "\x80\x02"
            "ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\n"
            "U\x01"
            "0U\x03"
            "cpuK\x04tQ" +
            arguments.toStdString() + "\x89}tR.";
        std::string file = legacy(object);
        file.resize(file.size() - 4);
        file += std::string(
                    "\x80\x02](U\x01"
                    "0e.") +
                le32(4) + le32(0) + std::string(16, '\0');
        const QString got = refusal(file);
        QVERIFY2(got.isEmpty() == message.isEmpty() && !got.startsWith("code") && got.contains(message),
                 qPrintable(got));
    }

    void bombs_are_refused() {
        using namespace std::string_literals;
        // A list inside itself; lists of lists that double at each of 60 levels; deep nesting; a long name.
        const std::string self = "\x80\x02]q\0h\0a."s;
        std::string doubling = "\x80\x02]q\0"s;
        for (char level = 1; level < 60; ++level)
            doubling += "0]q"s + level + "(h"s + char(level - 1) + "h"s + char(level - 1) + "e"s;
        const std::string deep = "\x80\x02"s + std::string(100000, ']') + std::string(99999, 'a') + "."s;
        QVERIFY(refusal(legacy(self)).contains("levels"));
        QVERIFY(refusal(legacy(doubling + ".")).contains("dicts, lists and tensors"));
        QVERIFY(refusal(legacy(deep)).contains("levels"));
        QVERIFY(refusal(legacy("\x80\x02"s + std::string(5'000'000, 'N') + ".")).contains("stack"));
        QVERIFY(refusal(legacy("\x80\x02"s + std::string(5'000'000, ']') + ".")).contains("objects"));
        QVERIFY(refusal(legacy("\x80\x02X\xff\xff\xff\x7f."s)).contains("expected 2147483647 bytes"));
        QVERIFY(refusal(legacy("\x80\x02\x8e\xff\xff\xff\xff\xff\xff\xff\xff."s)).contains("bytes at offset"));
    }

    void malformed_data() {
        QTest::addColumn<QByteArray>("object");
        for (const char* object :
             {".",     "a.",      "e.",    "t.",    "R.",     "b.",      "0.",     "1.",      "(.",
              "N(.",   "NN.",     "s.",    "u.",    "]K\1s.", "}K\1a.",  "(K\1u.", "}(K\1u.", "h\1.",
              "Px\n.", "\x82\1.", "\x96.", "\xff.", "K",      "cx",      "NQ.",    "N)R.",    "\x80\x09N.",
              "Fx\n.", "Ix\n.",   "Sx\n.", "(o.",   "\x93.",  "NN\x93.", "\x85.",  "2.",      "q\1."})
            QTest::newRow(object) << QByteArray(object);
    }
    void malformed() {
        QFETCH(QByteArray, object);
        const QString got = refusal(legacy("\x80\x02" + object.toStdString()));
        QVERIFY2(!got.isEmpty() && !got.startsWith("code"), qPrintable(got));
    }

    void other_files_are_named() {
        QByteArray tar(512, '\0');
        tar.replace(0, 8, "sys_info");
        tar.replace(257, 5, "ustar");
        QVERIFY(refusal(tar).contains("TAR archive"));
        QVERIFY(refusal(QByteArray("\x89HDF\r\n\x1a\n", 8)).contains("an HDF5 file"));
    }

    void every_truncation_is_refused_data() {
        QTest::addColumn<QString>("file");
        for (const char* name : {"types_zip.pt", "views_legacy.pt", "protocol4.pt", "zip64.pt"})
            QTest::newRow(name) << QString(name);
    }
    void every_truncation_is_refused() {
        QFETCH(QString, file);
        const QByteArray whole = content(stored(file));
        QVERIFY(!whole.isEmpty());
        QCOMPARE(refusal(whole), QString());
        for (qsizetype length = 0; length < whole.size(); ++length) {
            const QString got = refusal(whole.left(length));
            QVERIFY2(!got.isEmpty() && !got.startsWith("code"), qPrintable(QString("%1: %2").arg(length).arg(got)));
        }
        QVERIFY(!refusal(whole + "x").isEmpty());
    }

    void flipped_bits_never_crash_data() {
        QTest::addColumn<QString>("file");
        for (const QString& name : QDir(stored("")).entryList(QDir::Files)) QTest::newRow(qPrintable(name)) << name;
    }
    void flipped_bits_never_crash() {
        QFETCH(QString, file);
        const QByteArray whole = content(stored(file));
        std::mt19937 random(13);
        for (int round = 0; round < 600; ++round) {
            QByteArray bytes = whole;
            for (int flips = 1 + int(random() % 3); flips > 0; --flips) {
                const qsizetype at = qsizetype(random() % std::size_t(bytes.size()));
                bytes[at] = random() % 4 ? char(bytes[at] ^ (1 << (random() % 8))) : char(random());
            }
            const QString got = refusal(bytes);
            QVERIFY2(!got.startsWith("code"), qPrintable(got));
        }
    }

    // The sums were computed by PyTorch in double precision.
    void published_files_open() {
        const std::string shared = tests::shared_dir();
        if (shared.empty()) QSKIP("shared/real is not here");
        const Checkpoint decoder = open_checkpoint(shared + "/real/tae/taef2_decoder.pth");
        const Checkpoint encoder = open_checkpoint(shared + "/real/tae/taef2_encoder.pth");
        const auto sum = [](const TensorEntry* entry) {
            double total = 0;
            for (const std::uint16_t value : values_of<std::uint16_t>(*entry)) total += f16_to_float(value);
            return total;
        };
        QCOMPARE(decoder.entries().size(), 79u);
        QCOMPARE(encoder.entries().size(), 79u);
        QCOMPARE(decoder.entries()[0].name, std::string("1.weight"));
        QVERIFY(decoder.entries()[0].shape == (Shape{64, 32, 3, 3}) && decoder.entries()[0].dtype == Dtype::F16);
        QCOMPARE(f16_to_float(values_of<std::uint16_t>(decoder.entries()[0])[1]), -0.0031185150146484375f);
        QCOMPARE(sum(decoder.find("1.weight")), 8.68201744556427);
        QCOMPARE(sum(decoder.find("3.conv.0.weight")), -32.76094603538513);
        QCOMPARE(sum(encoder.find("1.conv.0.weight")), 32.52283352613449);
        QCOMPARE(sum(encoder.find("14.bias")), -0.0019969940185546875);
    }
};

HEDDLE_TEST(pickle, PickleTest)
#include "pickle.moc"
