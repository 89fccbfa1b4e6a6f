// The byte-pair tokenizer of CLIP (Radford et al., arXiv:2103.00020; github.com/openai/CLIP): lower-cased words to ids.
//
// The vocabulary follows from the list of merges: 256 bytes, the same 256 at a word's end, one token per merge, start, end.
#pragma once

#include <QString>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nodes {

class ClipTokenizer {
public:
    // The text of a merges file: a version line, then "left right" lines. Lines beyond `most_merges` are left out: OpenAI's
    // own file is longer than what CLIP uses. Throws Error{BadFile} for a line of another form or an empty list.
    explicit ClipTokenizer(std::string_view merges, std::size_t most_merges = 48894);
    // merges.txt of a model folder, or OpenAI's bpe_simple_vocab_16e6.txt.gz. Throws MissingFile with a word on where such
    // files are found, BadFile.
    static ClipTokenizer open(const std::string& path);

    // Without start and end. Cleans as CLIP does: HTML entities, white space, case; the names of start and end are tokens.
    std::vector<int> encode(const QString& text) const;
    // [start, up to 75 ids, end, padding ...]; longer texts are cut.
    std::vector<int> encode_padded(const QString& text, int pad, std::size_t length = 77) const;
    // The text of one token, a space where a word ends.
    QString text_of(int id) const;

    // By id, as vocab.json and merges.txt write them: a printable letter for each byte.
    std::vector<std::string> vocabulary() const;
    // The merges file that this is made of, as text: what the constructor reads.
    std::string merges() const;

    int start() const { return size() - 2; }
    int end() const { return size() - 1; }
    int size() const { return static_cast<int>(symbols_.size()); }

private:
    void append_word(const QByteArray& utf8, std::vector<int>& ids) const;

    std::vector<std::string> symbols_;                              // by id, bytes as they are, "</w>" at a word's end
    std::map<std::pair<int, int>, std::pair<int, int>> merges_;     // (left, right) -> (rank, merged)
};

// What CLIP does to a text before it splits it: entities, runs of white space, case.
QString clean_prompt(const QString& text);

}  // namespace nodes
