#include "node/client_table.h"

#include <gtest/gtest.h>

#include <memory>

namespace thornback::node {
namespace {

class ClientTableTest : public ::testing::Test {
 protected:
  // A client without a socket: the table does not care.
  HubClient& add(uint32_t role = TBK_ROLE_WORKER) {
    auto client = std::make_unique<HubClient>(next_serial_++, UniqueFd(), UniqueFd(),
                                              LinkLoop{-1, 0, stalled_});
    client->info.role = role;
    return table.add(std::move(client));
  }
  HubClient& published(uint32_t role = TBK_ROLE_WORKER) {
    HubClient& client = add(role);
    EXPECT_TRUE(table.assign_id(client));
    table.set_stage(client, Stage::kPublished);
    return client;
  }
  void end(HubClient& client) {
    table.set_stage(client, Stage::kDead);
    client.is_process_gone = true;
    table.drop_holds_of(client);
    table.sweep();
  }

  std::unique_ptr<shm::NodeBoard> board = std::make_unique<shm::NodeBoard>();
  ClientTable table{*board};

 private:
  uint64_t next_serial_ = 1;
  uint32_t stalled_ = 0;
};

TEST_F(ClientTableTest, TheAgentIsFirstAndOnly) {
  EXPECT_FALSE(table.assign_id(add(TBK_ROLE_WORKER)));
  HubClient& agent = published(TBK_ROLE_AGENT);
  EXPECT_EQ(agent.info.endpoint_id, kAgentId);
  EXPECT_FALSE(table.assign_id(add(TBK_ROLE_AGENT)));
  // Its index is never given again.
  end(agent);
  EXPECT_FALSE(table.assign_id(add(TBK_ROLE_AGENT)));
  EXPECT_EQ(published().info.endpoint_id, 1u);
}

TEST_F(ClientTableTest, IdsOfOneIndexDiffer) {
  published(TBK_ROLE_AGENT);
  for (uint32_t generation = 0; generation < 5; ++generation) {
    HubClient& client = published(TBK_ROLE_DRIVER);
    const uint32_t id = client.info.endpoint_id;
    EXPECT_EQ(id, make_endpoint_id(1, generation));
    EXPECT_EQ(endpoint_index(id), 1u);
    EXPECT_EQ(endpoint_generation(id), generation);
    EXPECT_EQ(table.by_id(id), &client);
    end(client);
    EXPECT_EQ(table.by_id(id), nullptr);
    EXPECT_TRUE(table.was_assigned(id));
    EXPECT_FALSE(table.was_assigned(make_endpoint_id(1, generation + 1)));
  }
  EXPECT_EQ(board->high_water.load(), 2u);
}

TEST_F(ClientTableTest, IsFullWithAllIndexes) {
  published(TBK_ROLE_AGENT);
  HubClient* last = nullptr;
  for (uint32_t i = 1; i < shm::kEndpointsMax; ++i) last = &published();
  EXPECT_EQ(board->high_water.load(), shm::kEndpointsMax);
  EXPECT_EQ(table.alive_count(), shm::kEndpointsMax);
  HubClient& waiting = add();
  EXPECT_FALSE(table.assign_id(waiting));
  end(*last);
  EXPECT_TRUE(table.assign_id(waiting));
  EXPECT_EQ(waiting.info.endpoint_id, make_endpoint_id(shm::kEndpointsMax - 1, 1));
}

TEST_F(ClientTableTest, TheDeadStayWhileHeldOrRunning) {
  published(TBK_ROLE_AGENT);
  HubClient& owner = published();
  HubClient& holder = published();
  const uint32_t id = owner.info.endpoint_id;
  board->granted[endpoint_index(id)].store(5);
  table.add_hold(holder, owner);
  end(owner);
  EXPECT_EQ(table.by_id(id), &owner);
  EXPECT_EQ(table.held_count(), 1u);
  EXPECT_EQ(board->granted[endpoint_index(id)].load(), 5u);
  table.drop_hold(holder, id);
  table.sweep();
  EXPECT_EQ(table.by_id(id), nullptr);
  EXPECT_EQ(table.held_count(), 0u);
  EXPECT_EQ(board->granted[endpoint_index(id)].load(), 0u);

  // Its notice has come, its process still runs.
  const uint32_t holder_id = holder.info.endpoint_id;
  table.set_stage(holder, Stage::kDead);
  table.sweep();
  EXPECT_EQ(table.by_id(holder_id), &holder);
  holder.is_process_gone = true;
  table.sweep();
  EXPECT_EQ(table.by_id(holder_id), nullptr);
}

TEST_F(ClientTableTest, HoldsOfUnknownEndpointsAreNothing) {
  published(TBK_ROLE_AGENT);
  HubClient& client = published();
  table.drop_hold(client, 4095);
  table.drop_hold(client, client.info.endpoint_id);
  table.drop_hold(client, 0xffffffff);
  EXPECT_EQ(table.by_id(client.info.endpoint_id), &client);
}

}  // namespace
}  // namespace thornback::node
