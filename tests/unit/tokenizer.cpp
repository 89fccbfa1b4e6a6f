#include "nodes/models/clip/tokenizer.h"

#include "gpu/base/error.h"
#include "gpu/io/gzip.h"
#include "nodes/conform/conform.h"
#include "tests/support/test.h"

using nodes::ClipTokenizer;

namespace {

// Ids: 512 .. are the merges in order.
const char* few_merges = "#version: 0.2\nt h\nth e</w>\nc a\nca t</w>\na t</w>\nĠ Ġ\n";
constexpr int th = 512, the_ = 513, ca = 514, cat_ = 515, at_ = 516;

std::vector<int> encode(const QString& text) { return ClipTokenizer(few_merges).encode(text); }

std::span<const std::byte> bytes_of(const QByteArray& bytes) { return std::as_bytes(std::span(bytes.data(), static_cast<std::size_t>(bytes.size()))); }

}  // namespace

class TokenizerTest : public QObject {
    Q_OBJECT
private slots:
    void merges_lowest_rank_first() {
        QCOMPARE(encode("the"), (std::vector{the_}));
        QCOMPARE(encode("The  CAT"), (std::vector{the_, cat_}));
        QCOMPARE(encode("th"), (std::vector{'t' - 33, 'h' - 33 + 256}));      // "h" at a word's end is another symbol
        QCOMPARE(encode("thx"), (std::vector{th, 'x' - 33 + 256}));
        QCOMPARE(encode("at"), (std::vector{at_}));
        QCOMPARE(encode("cab"), (std::vector{ca, 'b' - 33 + 256}));
    }

    void splits_as_clip_does() {
        const int one = '1' - 33 + 256;
        QCOMPARE(encode("11"), (std::vector{one, one}));
        QCOMPARE(encode("the'll!!"), (std::vector{the_, '\'' - 33, 'l' - 33, 'l' - 33 + 256, '!' - 33, '!' - 33 + 256}));
        const ClipTokenizer tokenizer(few_merges);
        QCOMPARE(tokenizer.encode("<|startoftext|>the<|endoftext|>"), (std::vector{tokenizer.start(), the_, tokenizer.end()}));
        QCOMPARE(encode("&amp;lt;"), (std::vector{'<' - 33 + 256}));          // unescaped twice
        QCOMPARE(encode("&#116;&#x68;e"), (std::vector{the_}));
        QVERIFY(encode("\n\t  ").empty());
    }

    void pads_and_cuts() {
        const ClipTokenizer tokenizer(few_merges);
        const auto ids = tokenizer.encode_padded("the", 0, 5);
        QCOMPARE(ids, (std::vector{tokenizer.start(), the_, tokenizer.end(), 0, 0}));
        QCOMPARE(tokenizer.encode_padded(QString("1").repeated(100), 0).size(), 77u);
        QCOMPARE(tokenizer.encode_padded(QString("1").repeated(100), 0).back(), tokenizer.end());
        QCOMPARE(tokenizer.text_of(the_), QString("the "));
    }

    // A megabyte without a space would take hours by the textbook's loop.
    void long_words_are_quick() { QCOMPARE(encode(QString("th").repeated(200000)).size(), 200001u); }

    void refuses_broken_files() {
        for (const char* text : {"", "#version\n", "#version\nt\n", "#version\nt hq\n"}) {
            QVERIFY_EXCEPTION_THROWN(ClipTokenizer{text}, gpu::Error);
        }
        QVERIFY_EXCEPTION_THROWN(ClipTokenizer::open("/nonexistent/merges.txt"), gpu::Error);
        try {
            ClipTokenizer::open("/nonexistent/merges.txt");
        } catch (const gpu::Error& error) {
            QVERIFY(error.code() == gpu::ErrorCode::MissingFile);
        }
    }

    void gunzip_checks_everything() {
        // gzip -9 of "hello hello hello\n"
        const QByteArray packed = QByteArray::fromHex("1f8b0800000000000203cb48cdc9c957c840905c003b7c8adf12000000");
        QVERIFY(gpu::gunzip(bytes_of(packed), 100) == "hello hello hello\n");
        QVERIFY_EXCEPTION_THROWN(gpu::gunzip(bytes_of(packed), 10), gpu::Error);
        for (qsizetype length = 0; length < packed.size(); ++length)
            QVERIFY_EXCEPTION_THROWN(gpu::gunzip(bytes_of(packed.left(length)), 100), gpu::Error);
        QByteArray damaged = packed;
        damaged[damaged.size() - 8] = static_cast<char>(damaged[damaged.size() - 8] ^ 1);                   // the check sum
        QVERIFY_EXCEPTION_THROWN(gpu::gunzip(bytes_of(damaged), 100), gpu::Error);
    }

    void reference_case_passes() {
        const std::string shared = tests::shared_dir();
        if (shared.empty()) QSKIP("no shared conformance cases beside the repository");
        const auto report = nodes::run_conform_case(nodes::load_conform_case(shared + "/conformance/tokenizer-clip"));
        QVERIFY(report.pass);
    }
};

HEDDLE_TEST(tokenizer, TokenizerTest)
#include "tokenizer.moc"
