"""The parts that models are made of: embeddings, recurrent layers, dropout, CRF."""
