#include "call/msgpack.h"

#include <gtest/gtest.h>

#include "call/error_value.h"

namespace thornback::call {
namespace {

TEST(MsgpackTest, NumbersSurviveInTheirShortestForm) {
  MsgpackWriter writer;
  const std::vector<uint64_t> numbers{
      0, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, uint64_t{UINT32_MAX} + 1, UINT64_MAX};
  writer.array(static_cast<uint32_t>(numbers.size()));
  for (const uint64_t number : numbers) writer.number(number);
  EXPECT_EQ(writer.bytes().size(), 1U + 1 + 1 + 2 + 2 + 3 + 3 + 5 + 5 + 9 + 9);
  EXPECT_EQ(read_numbers(writer.bytes().data(), writer.bytes().size()), numbers);
}

TEST(MsgpackTest, OtherShapesAreNoNumbers) {
  const std::vector<std::vector<uint8_t>> others{
      {}, {0xc0}, {0x91}, {0x91, 0xc0}, {0x92, 1}, {0x91, 0xcf, 1}, {0x91, 0xd0, 1}};
  for (const auto& bytes : others)
    EXPECT_EQ(read_numbers(bytes.data(), bytes.size()), std::nullopt);
}

TEST(MsgpackTest, AnErrorIsAnExtensionWithCodeNameAndMessage) {
  const std::vector<uint8_t> error = encode_error("ACTOR_DIED", "gone");
  const std::string text(error.begin(), error.end());
  EXPECT_EQ(error[0], 0xc9);
  EXPECT_EQ(error[5], 8);
  for (const char* part : {"code", "ACTOR_DIED", "ActorDiedError", "gone", "engine"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace thornback::call
