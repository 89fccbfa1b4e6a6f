#include "nodes/models/clip/tokenizer.h"

#include <QChar>
#include <QRegularExpression>
#include <algorithm>
#include <array>
#include <queue>

#include "gpu/base/error.h"
#include "gpu/io/gzip.h"
#include "gpu/io/mapped_file.h"

namespace nodes {
namespace {

constexpr std::string_view word_end = "</w>";

// CLIP writes bytes that do not print as code points from 256 on; its vocabulary lists the printable ones first.
struct ByteCodes {
    std::array<int, 256> rank{};                 // byte -> id of the single-byte token
    std::array<unsigned char, 256> byte_of{};    // id -> byte
    std::map<char32_t, unsigned char> byte_of_code;

    ByteCodes() {
        const auto printable = [](int byte) { return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174; };
        int next = 0;
        char32_t code = 256;
        for (const bool pass : {true, false})
            for (int byte = 0; byte < 256; ++byte) {
                if (printable(byte) != pass) continue;
                byte_of[static_cast<std::size_t>(next)] = static_cast<unsigned char>(byte);
                byte_of_code[pass ? static_cast<char32_t>(byte) : code++] = static_cast<unsigned char>(byte);
                rank[static_cast<std::size_t>(byte)] = next++;
            }
    }
};

const ByteCodes& byte_codes() {
    static const ByteCodes codes;
    return codes;
}

// "Ġ" and its like back to the bytes they stand for; a trailing "</w>" stays. Empty for a symbol that has other characters.
std::string bytes_of_symbol(std::string_view symbol) {
    std::string_view tail;
    if (symbol.size() > word_end.size() && symbol.ends_with(word_end)) {
        tail = word_end;
        symbol.remove_suffix(word_end.size());
    }
    std::string bytes;
    for (const char32_t code : QString::fromUtf8(symbol.data(), static_cast<qsizetype>(symbol.size())).toUcs4()) {
        const auto found = byte_codes().byte_of_code.find(code);
        if (found == byte_codes().byte_of_code.end()) return {};
        bytes += static_cast<char>(found->second);
    }
    return bytes + std::string(tail);
}

// Python's html.unescape knows 2231 names; these are those that turn up in prompts.
QString unescape_html(const QString& text) {
    static const std::map<QString, QString> names{{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"},
                                                  {"nbsp", QString(QChar(0xa0))}, {"hellip", QString(QChar(0x2026))},
                                                  {"ndash", QString(QChar(0x2013))}, {"mdash", QString(QChar(0x2014))},
                                                  {"lsquo", QString(QChar(0x2018))}, {"rsquo", QString(QChar(0x2019))},
                                                  {"ldquo", QString(QChar(0x201c))}, {"rdquo", QString(QChar(0x201d))},
                                                  {"copy", QString(QChar(0xa9))}, {"reg", QString(QChar(0xae))},
                                                  {"deg", QString(QChar(0xb0))}, {"times", QString(QChar(0xd7))}};
    if (!text.contains('&')) return text;
    static const QRegularExpression entity("&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]+));");
    QString made;
    qsizetype from = 0;
    for (auto matches = entity.globalMatch(text); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        made += text.mid(from, match.capturedStart() - from);
        from = match.capturedEnd();
        const QString name = match.captured(3);
        const uint code = !match.captured(1).isEmpty() ? match.captured(1).toUInt() : match.captured(2).toUInt(nullptr, 16);
        if (!name.isEmpty()) {
            const auto known = names.find(name);
            made += known == names.end() ? match.captured(0) : known->second;
        } else if (code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) {
            made += QString::fromUcs4(reinterpret_cast<const char32_t*>(&code), 1);
        } else {
            made += QChar(0xfffd);
        }
    }
    return made + text.mid(from);
}

enum class Kind { Space, Letter, Number, Other };

Kind kind_of(char32_t code) {
    if (QChar::isSpace(code)) return Kind::Space;
    if (QChar::isLetter(code)) return Kind::Letter;
    return QChar::isNumber(code) ? Kind::Number : Kind::Other;
}

}  // namespace

QString clean_prompt(const QString& text) { return unescape_html(unescape_html(text)).simplified().toLower(); }

ClipTokenizer::ClipTokenizer(std::string_view merges, std::size_t most_merges) {
    std::unordered_map<std::string, int> ids;
    const auto add = [&](std::string symbol) {
        ids.emplace(symbol, size());
        symbols_.push_back(std::move(symbol));
    };
    for (const bool at_end : {false, true})
        for (const unsigned char byte : byte_codes().byte_of)
            add(std::string(1, static_cast<char>(byte)) + std::string(at_end ? word_end : std::string_view()));

    std::size_t line_number = 0;
    for (std::size_t at = 0; at < merges.size() && merges_.size() < most_merges;) {
        const std::size_t stop = std::min(merges.find('\n', at), merges.size());
        std::string_view line = merges.substr(at, stop - at);
        at = stop + 1;
        if (++line_number == 1) continue;                       // the version
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        const std::size_t space = line.find(' ');
        const std::string left = bytes_of_symbol(line.substr(0, space)),
                          right = space == line.npos ? std::string() : bytes_of_symbol(line.substr(space + 1));
        const auto known_left = ids.find(left), known_right = ids.find(right);
        gpu::check(known_left != ids.end() && known_right != ids.end(), gpu::ErrorCode::BadFile,
                   "merges file: expected two known symbols in line {}, got '{}'", line_number, std::string(line.substr(0, 80)));
        merges_.emplace(std::pair(known_left->second, known_right->second), std::pair(static_cast<int>(merges_.size()), size()));
        add(left + right);
    }
    gpu::check(!merges_.empty(), gpu::ErrorCode::BadFile, "merges file: expected a version line and merges, got none");
    add("<|startoftext|>");
    add("<|endoftext|>");
}

std::vector<std::string> ClipTokenizer::vocabulary() const {
    std::array<QString, 256> letter_of;      // byte -> what files write for it
    for (const auto& [code, byte] : byte_codes().byte_of_code) letter_of[byte] = QString::fromUcs4(&code, 1);
    std::vector<std::string> written;
    for (int id = 0; id < size(); ++id) {
        std::string_view symbol = symbols_[static_cast<std::size_t>(id)];
        const bool ends = id < start() && symbol.size() > word_end.size() && symbol.ends_with(word_end);
        if (ends) symbol.remove_suffix(word_end.size());
        QString text;
        for (const char byte : symbol) text += letter_of[static_cast<unsigned char>(byte)];
        written.push_back(text.toStdString() + (ends ? std::string(word_end) : std::string()));
    }
    return written;
}

std::string ClipTokenizer::merges() const {
    std::vector<std::pair<int, int>> pairs(merges_.size());
    for (const auto& [pair, made] : merges_) pairs[static_cast<std::size_t>(made.first)] = pair;
    const std::vector<std::string> written = vocabulary();
    std::string text = "#version: 0.2\n";
    for (const auto& [left, right] : pairs) text += gpu::format("{} {}\n", written[static_cast<std::size_t>(left)], written[static_cast<std::size_t>(right)]);
    return text;
}

ClipTokenizer ClipTokenizer::open(const std::string& path) {
    try {
        const gpu::MappedFile file(path);
        const std::string text = path.ends_with(".gz") ? gpu::gunzip(file.bytes(), 64u << 20)
                                                       : std::string(reinterpret_cast<const char*>(file.bytes().data()), file.size());
        return ClipTokenizer(text);
    } catch (gpu::Error& error) {
        error.in(gpu::format("CLIP's merges, {}: merges.txt lies in the folder 'tokenizer' of a model in the diffusers layout; "
                                      "bpe_simple_vocab_16e6.txt.gz comes with CLIP's own sources", path));
        throw;
    }
}

// One piece of text to ids: single bytes, then the merge of lowest rank again and again. A queue of candidate pairs keeps
// this n log n, so that a word of any length does no harm.
void ClipTokenizer::append_word(const QByteArray& utf8, std::vector<int>& ids) const {
    const int count = static_cast<int>(utf8.size());
    struct Symbol {
        int id, previous, next;
    };
    std::vector<Symbol> symbols;
    for (int i = 0; i < count; ++i) {
        const int byte = byte_codes().rank[static_cast<unsigned char>(utf8[i])];
        symbols.push_back({i + 1 == count ? byte + 256 : byte, i - 1, i + 1 == count ? -1 : i + 1});
    }
    struct Candidate {
        int rank, left, left_id, right_id;
        bool operator>(const Candidate& other) const { return std::pair(rank, left) > std::pair(other.rank, other.left); }
    };
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto offer = [&](int left) {
        if (left < 0 || symbols[static_cast<std::size_t>(left)].next < 0) return;
        const int a = symbols[static_cast<std::size_t>(left)].id, b = symbols[static_cast<std::size_t>(symbols[static_cast<std::size_t>(left)].next)].id;
        if (const auto merge = merges_.find({a, b}); merge != merges_.end()) queue.push({merge->second.first, left, a, b});
    };
    for (int i = 0; i + 1 < count; ++i) offer(i);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol& left = symbols[static_cast<std::size_t>(best.left)];
        if (left.id != best.left_id || left.next < 0) continue;                  // merged away since
        Symbol& right = symbols[static_cast<std::size_t>(left.next)];
        if (right.id != best.right_id) continue;
        left.id = merges_.at({best.left_id, best.right_id}).second;
        left.next = right.next;
        if (right.next >= 0) symbols[static_cast<std::size_t>(right.next)].previous = best.left;
        right.id = -1;
        offer(left.previous);
        offer(best.left);
    }
    for (int at = 0; at >= 0 && at < count; at = symbols[static_cast<std::size_t>(at)].next) ids.push_back(symbols[static_cast<std::size_t>(at)].id);
}

std::vector<int> ClipTokenizer::encode(const QString& given) const {
    const QString text = clean_prompt(given);
    static const std::array<QString, 2> specials{"<|startoftext|>", "<|endoftext|>"};
    static const std::array<QString, 7> contractions{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    const QList<uint> codes = text.toUcs4();
    const auto starts_with = [&](qsizetype at, const QString& word) {
        for (qsizetype k = 0; k < word.size(); ++k)
            if (at + k >= codes.size() || codes[at + k] != word[k].unicode()) return false;
        return true;
    };
    std::vector<int> ids;
    for (qsizetype at = 0; at < codes.size();) {
        const Kind kind = kind_of(codes[at]);
        if (kind == Kind::Space) {
            ++at;
            continue;
        }
        const auto special = std::find_if(specials.begin(), specials.end(), [&](const QString& one) { return starts_with(at, one); });
        if (special != specials.end()) {
            ids.push_back(special == specials.begin() ? start() : end());
            at += special->size();
            continue;
        }
        const auto contraction = std::find_if(contractions.begin(), contractions.end(), [&](const QString& one) { return starts_with(at, one); });
        qsizetype stop = at + 1;                                                  // one digit at a time
        if (contraction != contractions.end()) stop = at + contraction->size();
        else if (kind != Kind::Number)
            while (stop < codes.size() && kind_of(codes[stop]) == kind) ++stop;
        append_word(QString::fromUcs4(reinterpret_cast<const char32_t*>(codes.data()) + at, stop - at).toUtf8(), ids);
        at = stop;
    }
    return ids;
}

std::vector<int> ClipTokenizer::encode_padded(const QString& text, int pad, std::size_t length) const {
    gpu::check(length >= 2, gpu::ErrorCode::InvalidGraph, "tokenizer: expected room for start and end, got {}", length);
    std::vector<int> ids = encode(text);
    if (ids.size() > length - 2) ids.resize(length - 2);
    ids.insert(ids.begin(), start());
    ids.push_back(end());
    ids.resize(length, pad);
    return ids;
}

QString ClipTokenizer::text_of(int id) const {
    gpu::check(id >= 0 && id < size(), gpu::ErrorCode::InvalidGraph, "tokenizer: expected an id below {}, got {}", size(), id);
    const std::string& symbol = symbols_[static_cast<std::size_t>(id)];
    if (id >= start() || !std::string_view(symbol).ends_with(word_end)) return QString::fromStdString(symbol);
    return QString::fromStdString(symbol.substr(0, symbol.size() - word_end.size())) + ' ';
}

}  // namespace nodes
