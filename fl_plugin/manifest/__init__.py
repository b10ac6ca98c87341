"""What dbt wrote about the mesh, read as a file into frozen, validated values."""
