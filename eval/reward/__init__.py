"""The oracle as a reward of reinforcement learning."""

from eval.reward.rewards import code_reward, code_reward_with

__all__ = ["code_reward", "code_reward_with"]
