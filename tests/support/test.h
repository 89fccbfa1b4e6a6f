// The frame of a test file: a QObject with private slots, one per case, registered under the file's stem.
//
//     class HashTest : public QObject {
//         Q_OBJECT
//     private slots:
//         void differs_by_length() { QVERIFY(...); }
//     };
//     HEDDLE_TEST(hash, HashTest)
//     #include "hash.moc"
#pragma once

#include <QObject>
#include <QTest>
#include <functional>
#include <memory>
#include <string>

namespace tests {

// Adds a test object to this executable; `test_<tier> <stem> [QtTest options]` runs it.
bool add(const std::string& stem, std::function<std::unique_ptr<QObject>()> make);

// The repository's shared neighbour with reference data, or an empty string where it is absent.
std::string shared_dir();

}  // namespace tests

#define HEDDLE_TEST(stem, Class) \
    static const bool stem##_added = tests::add(#stem, [] { return std::unique_ptr<QObject>(new Class); });
