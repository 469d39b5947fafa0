"""The register of members: who reported in, where they live, when and whom they can look after."""
