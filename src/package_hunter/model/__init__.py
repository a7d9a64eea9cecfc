"""The values that flow between the stages. Nothing here imports anything else of ours."""
