// What other tools leave in pictures beside the pixels: EXIF blocks of JPEG, WebP and PNG, JPEG's comments, and which of them
// are graphs.
#include "nodes/codec/picture_texts.h"

#include <QFile>
#include <QStringEncoder>
#include <QTemporaryDir>
#include <QtEndian>

#include "gpu/base/error.h"
#include "nodes/interchange/foreign_graphs.h"
#include "nodes/interchange/open_graph.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

struct Tag {
    int tag, type;      // 2 text, 7 undefined, 1 bytes
    QByteArray value;
};

constexpr int make_tag = 0x10f, model_tag = 0x110, description_tag = 0x10e, comment_tag = 0x9286, windows_comment = 0x9c9c;

// A block as the EXIF standard has it; `camera`: the tags of the second directory.
QByteArray exif(const QList<Tag>& tags, const QList<Tag>& camera = {}, bool big = true) {
    const auto number = [big](quint32 value, int size) {
        QByteArray bytes;
        for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * (big ? size - 1 - i : i));
        return bytes;
    };
    const auto directory = [&](const QList<Tag>& list, quint32 at, quint32 link) {
        const quint32 entries = static_cast<quint32>(list.size()) + (link ? 1 : 0), data = at + 2 + 12 * entries + 4;
        QByteArray head = number(entries, 2), tail;
        for (const Tag& tag : list) {
            const auto size = static_cast<quint32>(tag.value.size());
            head += number(tag.tag, 2) + number(tag.type, 2) + number(size, 4);
            head += size <= 4 ? tag.value.leftJustified(4, '\0') : number(data + static_cast<quint32>(tail.size()), 4);
            if (size > 4) tail += tag.value;
        }
        if (link) head += number(0x8769, 2) + number(4, 2) + number(1, 4) + number(link, 4);
        return head + number(0, 4) + tail;
    };
    const QByteArray start = (big ? QByteArray("MM") : QByteArray("II")) + number(42, 2) + number(8, 4);
    if (camera.isEmpty()) return start + directory(tags, 8, 0);
    const auto second = static_cast<quint32>(8 + directory(tags, 8, 1).size());
    return start + directory(tags, 8, second) + directory(camera, second, 0);
}

QByteArray big_endian(quint32 value, int size) {
    QByteArray bytes;
    for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> 8 * i);
    return bytes;
}

QByteArray jpeg(const QByteArray& segments) { return "\xff\xd8" + QByteArray("\xff\xe0\0\4ab", 6) + segments + "\xff\xda"; }
QByteArray segment(char marker, const QByteArray& content) { return QByteArray("\xff") + marker + big_endian(static_cast<quint32>(content.size() + 2), 2) + content; }
QByteArray jpeg_with(const QByteArray& block) { return jpeg(segment('\xe1', QByteArray("Exif\0\0", 6) + block)); }

QByteArray webp_with(const QByteArray& block, const QByteArray& before = {}) {
    QByteArray size(4, '\0');
    qToLittleEndian(static_cast<quint32>(block.size()), size.data());
    return QByteArray("RIFF\0\0\0\0WEBP", 12) + QByteArray("VP8X\3\0\0\0abc\0", 12) + "EXIF" + size + before + block;
}

QByteArray png_with(const QByteArray& block) {
    return QByteArray("\x89PNG\r\n\x1a\n") + big_endian(static_cast<quint32>(block.size()), 4) + "eXIf" + block + "abcd";
}

std::vector<PictureText> texts_of(const QByteArray& bytes) { return picture_texts(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())))); }

std::string text_of(const QByteArray& bytes, const char* name) {
    for (const PictureText& text : texts_of(bytes))
        if (text.name == name) return text.text;
    return "nothing";
}

QByteArray utf16(const QString& text, QStringConverter::Encoding code) { return QStringEncoder(code)(text); }

const QByteArray prompt = R"({"3": {"class_type": "EmptyLatentImage", "inputs": {"width": 320, "height": 64, "batch_size": 1}}})";
const QByteArray workflow =
    R"({"version": 0.4, "nodes": [{"id": 7, "type": "EmptyLatentImage", "pos": [5, 6], "widgets_values": [192, 64, 1]}], "links": []})";
const QString infotext = QStringLiteral("a \u00e4 cat\nNegative prompt: dog\nSteps: 5, Sampler: Euler, CFG scale: 7, Seed: 3, Size: 64x64, Model: m");

class Files {
public:
    OpenedGraph open(const QByteArray& bytes) const {
        QFile file(folder_.filePath("picture"));
        if (file.open(QIODevice::WriteOnly)) file.write(bytes);
        file.close();
        return open_graph(file.fileName().toStdString());
    }

private:
    QTemporaryDir folder_;
};

// "UI 0.4" and the width of the only latent.
std::string seen(const OpenedGraph& opened) {
    for (const std::string& id : opened.document.node_ids())
        if (opened.document.node(id).type == "latent.empty")
            return (opened.report ? opened.report->form : std::string("Heddle")) + " " + std::to_string(opened.document.param(id, "width").toInt());
    return "no latent";
}

}  // namespace

class PictureTextsTest : public QObject {
    Q_OBJECT
private slots:
    void containers_and_orders() {
        for (const bool big : {true, false}) {
            const QByteArray block = exif({{make_tag, 2, QByteArray("one maker\0", 10)}, {model_tag, 2, QByteArray("ab\0", 3)}}, {{comment_tag, 7, QByteArray("ASCII\0\0\0hello", 13)}}, big);
            for (const QByteArray& file : {jpeg_with(block), webp_with(block), webp_with(QByteArray("Exif\0\0", 6) + block), png_with(block)}) {
                QCOMPARE(text_of(file, "Make"), std::string("one maker"));
                QCOMPARE(text_of(file, "Model"), std::string("ab"));      // stands in its entry
                QCOMPARE(text_of(file, "UserComment"), std::string("hello"));
            }
        }
    }

    void comments_in_every_code() {
        const QString text = QStringLiteral("k\u00f6nig \u4e2d\U0001f600: {1}");
        const auto comment = [](const QByteArray& value, bool big) { return text_of(jpeg_with(exif({}, {{comment_tag, 7, value}}, big)), "UserComment"); };
        const QByteArray mark("UNICODE\0", 8);
        for (const bool big : {true, false}) {
            // A writer's order need not be the block's.
            QCOMPARE(comment(mark + utf16(text, QStringConverter::Utf16BE), big), text.toStdString());
            QCOMPARE(comment(mark + utf16(text, QStringConverter::Utf16LE), big), text.toStdString());
            QCOMPARE(comment(mark + "\xfe\xff" + utf16(text, QStringConverter::Utf16BE), big), text.toStdString());
            QCOMPARE(comment(mark + "\xff\xfe" + utf16(text, QStringConverter::Utf16LE), big), text.toStdString());
        }
        QCOMPARE(comment(text.toUtf8(), true), text.toStdString());                            // without a code
        QCOMPARE(comment(QByteArray(8, '\0') + text.toUtf8(), true), text.toStdString());      // of no code
        QCOMPARE(text_of(jpeg_with(exif({{windows_comment, 1, utf16(text, QStringConverter::Utf16LE) + QByteArray(2, '\0')}})), "0x9c9c"), text.toStdString());
    }

    void what_comfyui_and_its_savers_write() {
        const Files files;
        const auto tag = [](int tag, const QByteArray& text) { return Tag{tag, 2, text + '\0'}; };
        // ComfyUI's own writer of animated WebP; savers that use other tags; the workflow comes first.
        const QList<QByteArray> blocks{exif({tag(make_tag, "workflow:" + workflow), tag(model_tag, "prompt:" + prompt)}),
                                       exif({tag(make_tag, "prompt:" + prompt), tag(description_tag, "Workflow: " + workflow)}),
                                       exif({}, {{comment_tag, 7, QByteArray("ASCII\0\0\0", 8) + "{\"prompt\": " + prompt + ", \"workflow\": " + workflow + "}"}}),
                                       exif({}, {{comment_tag, 7, QByteArray("UNICODE\0", 8) + utf16(QString(workflow), QStringConverter::Utf16BE)}})};
        for (const QByteArray& block : blocks)
            for (const QByteArray& file : {jpeg_with(block), webp_with(block), png_with(block)}) QCOMPARE(seen(files.open(file)), std::string("UI 0.4 192"));
        QCOMPARE(seen(files.open(webp_with(exif({tag(model_tag, "prompt:" + prompt)})))), std::string("API 320"));
        QCOMPARE(seen(files.open(jpeg(segment('\xfe', workflow)))), std::string("UI 0.4 192"));
        // One that can not be read does not hide the other.
        QCOMPARE(seen(files.open(jpeg_with(exif({tag(make_tag, "workflow:{\"nodes\": 5}"), tag(model_tag, "prompt:" + prompt)})))), std::string("API 320"));
    }

    void what_a1111_writes() {
        const Files files;
        const QByteArray block = exif({}, {{comment_tag, 7, QByteArray("UNICODE\0", 8) + utf16(infotext, QStringConverter::Utf16BE)}});
        for (const QByteArray& file : {jpeg_with(block), webp_with(block)}) {
            const OpenedGraph opened = files.open(file);
            QCOMPARE(seen(opened), std::string("A1111 64"));
            QCOMPARE(opened.document.param("prompt", "text").toString(), QStringLiteral("a \u00e4 cat"));
        }
    }

    void pictures_without_a_graph_say_so() {
        const Files files;
        for (const QByteArray& file : {jpeg({}), webp_with({}), png_with({}), jpeg_with(exif({{description_tag, 2, QByteArray("{not JSON\0", 10)}, {make_tag, 2, QByteArray("Canon: {x}\0", 11)}}))}) {
            try {
                (void)files.open(file);
                QFAIL("expected an error");
            } catch (const gpu::Error& error) {
                QCOMPARE(error.code(), gpu::ErrorCode::BadFile);
                QVERIFY2(QString(error.what()).contains("this one holds none"), error.what());
            }
        }
    }

    void files_that_are_no_graphs_say_so() {
        const Files files;
        for (const auto& [file, words] : {std::pair(QByteArray(), "the file is empty"), {QByteArray("\x40\0\0\0\0\0\0\0{\"__metadata__\": {}}", 26), "this is some other file"}}) {
            try {
                (void)files.open(file);
                QFAIL("expected an error");
            } catch (const gpu::Error& error) {
                QCOMPARE(error.code(), gpu::ErrorCode::BadFile);
                QVERIFY2(QString(error.what()).contains(words), error.what());
            }
        }
    }

    void long_documents_of_jpeg_lie_in_comments() {
        const std::string document = "{\"heddle\": 1, \"nodes\": {}, \"x\": \"" + std::string(200000, 'y') + "\"}";
        const QByteArray plain = jpeg(segment('\xe1', "Exif"));
        const auto made = with_jpeg_document(std::as_bytes(std::span(plain.constData(), static_cast<std::size_t>(plain.size()))), document);
        QCOMPARE(document_among(picture_texts(made)), document);
        const QByteArray bytes(reinterpret_cast<const char*>(made.data()), static_cast<qsizetype>(made.size()));
        QVERIFY(bytes.indexOf("heddle 4/4\n") > bytes.indexOf("Exif"));      // behind what must come first
        QVERIFY(bytes.endsWith("\xff\xda"));
        QCOMPARE(Files().open(bytes).document.extra()["x"].toString().size(), 200000);
    }

    void a_written_block_reads_back() {
        for (const std::string& text : {std::string("a"), std::string("abcd"), std::string(100000, 'z')}) {
            const std::vector<std::byte> block = exif_with_description(text);
            const std::vector<PictureText> texts = exif_texts(block);
            QCOMPARE(texts.size(), std::size_t(1));
            QCOMPARE(texts[0].name, std::string("ImageDescription"));
            QCOMPARE(texts[0].text, text);
        }
    }

    // Cut anywhere, with any byte wrong: less is found, nothing else happens.
    void damaged_files() {
        const QByteArray block = exif({{make_tag, 2, "workflow:" + workflow + '\0'}}, {{comment_tag, 7, QByteArray("UNICODE\0", 8) + utf16(infotext, QStringConverter::Utf16BE)}});
        for (const QByteArray& whole : {jpeg_with(block), webp_with(block), png_with(block)}) {
            QCOMPARE(texts_of(whole).size(), std::size_t(2));
            for (qsizetype length = 0; length < whole.size(); ++length) QVERIFY(texts_of(whole.left(length)).size() <= 2);
            for (qsizetype at = 0; at < 120; ++at)
                for (const char value : {'\0', '\1', '\x7f', '\xff'}) {
                    QByteArray wrong = whole;
                    wrong[at] = value;
                    (void)foreign_graphs(texts_of(wrong));
                }
        }
    }
};

HEDDLE_TEST(picture_texts, PictureTextsTest)

}  // namespace tests

#include "picture_texts.moc"
