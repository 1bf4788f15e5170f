// StringPool: each text of many alerts kept once, named by a number.
//
// Alerts share names and most values; a pair of numbers is 8 bytes where two strings are 64. Texts are
// counted: the last Release frees one and its number is given to the next new text. Ownership: owns the
// texts; a view lives until the text is released. Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tocsin::respond {

class StringPool {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  // Adds one reference.
  uint32_t Intern(std::string_view text);
  void AddReference(uint32_t id) { ++entries_[id].references; }
  void Release(uint32_t id);
  // kNone when nothing holds the text.
  uint32_t Find(std::string_view text) const;
  std::string_view Text(uint32_t id) const { return {entries_[id].text.get(), entries_[id].size}; }

  size_t size() const { return live_; }
  // Above every id in use.
  size_t id_bound() const { return entries_.size(); }
  size_t text_bytes() const { return text_bytes_; }

 private:
  struct Entry {
    std::unique_ptr<char[]> text;
    uint32_t size = 0;
    uint32_t references = 0;
  };
  struct Slot {
    uint32_t id = kNone;  // kNone is empty
    uint32_t hash = 0;    // of the text: most texts that are not the one are told by it
  };
  static uint32_t HashOf(std::string_view text);
  // The slot of the text, or the empty slot where it belongs.
  size_t SlotOf(std::string_view text, uint32_t hash) const;
  void Grow();

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  std::vector<Slot> slots_;  // open addressing, linear probing
  size_t live_ = 0;
  size_t text_bytes_ = 0;
};

}  // namespace tocsin::respond
