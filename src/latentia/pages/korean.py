"""What the package's English tables say of models and figures, in Korean: a lecture's own words."""

from __future__ import annotations

NAMES = {
    "PCA": "주성분 분석(PCA)",
    "ProbabilisticPCA": "확률적 주성분 분석",
    "FactorAnalysis": "인자 분석",
    "LinearAutoencoder": "선형 오토인코더",
    "Autoencoder": "오토인코더",
    "DenoisingAutoencoder": "잡음 제거 오토인코더",
    "VAE": "변분 오토인코더(VAE)",
    "ConditionalVAE": "조건부 변분 오토인코더",
    "LinearVAE": "선형 변분 오토인코더",
    "AutoencoderKMeans": "오토인코더와 k-평균",
    "DEC": "심층 군집화(DEC)",
    "IDEC": "개선된 심층 군집화(IDEC)",
    "VaDE": "변분 심층 군집화(VaDE)",
    "GAN": "적대적 생성 신경망(GAN)",
    "DCGAN": "심층 합성곱 GAN(DCGAN)",
    "ConditionalGAN": "조건부 GAN",
    "WGAN": "바서슈타인 GAN(WGAN)",
    "WGANGP": "기울기 벌점 바서슈타인 GAN(WGAN-GP)",
    "ConditionalWGANGP": "조건부 WGAN-GP",
    "Pix2Pix": "pix2pix 이미지 변환",
    "CycleGAN": "CycleGAN 이미지 변환",
    "Bicubic": "바이큐빅 보간",
    "SRResNet": "초해상도 SRResNet",
    "SRGAN": "초해상도 SRGAN",
    "RNNLanguageModel": "순환신경망 언어 모형",
    "LSTMLanguageModel": "LSTM 언어 모형",
    "NGramLanguageModel": "n-그램 언어 모형",
}
"""Models' names in full."""

METRICS = {
    "negative_log_likelihood": ("−log p", "시험 자료의 음의 로그 가능도이며 정확한 값입니다."),
    "negative_elbo": ("−ELBO", "시험 자료의 −log p(x)의 상한입니다. z를 한 번씩 뽑아 구합니다."),
    "frechet_distance": (
        "프레셰 거리",
        "시험 이미지와 표본을 학습 픽셀의 주성분 64개까지에서 정규분포로 보고 잰 거리입니다. "
        "FID가 아닙니다.",
    ),
    "psnr_denoised": (
        "잡음을 없앤 뒤의 PSNR",
        "깨끗한 시험 이미지와, 학습 때와 같은 잡음을 넣은 이미지를 모델이 되돌린 것 사이의 "
        "PSNR입니다.",
    ),
    "squared_error": (
        "제곱 오차",
        "시험 자료와 재구성의 차이를 제곱하여 값마다 더하고 자료에 대해 평균한 것입니다.",
    ),
    "adjusted_rand": (
        "수정 랜드 지수",
        "군집과 클래스의 일치도입니다. 우연이면 0, 같으면 1입니다.",
    ),
    "class_agreement": (
        "클래스 일치",
        "어느 클래스의 표본을 픽셀 분류기가 그 클래스로 보는 비율입니다.",
    ),
    "memorisation": (
        "학습 자료까지의 거리",
        "표본에서 가장 가까운 학습 이미지까지의 거리를 시험 이미지의 것으로 나눈 값입니다. "
        "1에 가까우면 새 자료만큼 떨어져 있고 0에 가까우면 복제입니다. 흐린 표본도 1보다 작습니다.",
    ),
    "translation_psnr": ("변환의 PSNR", "변환된 시험 이미지와 목표의 최대 신호 대 잡음비입니다."),
    "absolute_error": ("절대 오차", "변환된 시험 이미지와 목표의 픽셀 차이를 평균한 것입니다."),
    "cycle_error_a": (
        "순환 오차 A→B→A",
        "영역 A의 시험 이미지와 갔다가 돌아온 이미지의 픽셀 차이를 평균한 것입니다.",
    ),
    "cycle_error_b": (
        "순환 오차 B→A→B",
        "영역 B의 시험 이미지와 갔다가 돌아온 이미지의 픽셀 차이를 평균한 것입니다.",
    ),
    "luma_psnr": ("밝기 PSNR", "확대한 시험 이미지와 원본의 밝기에서 잰 신호 대 잡음비입니다."),
    "luma_ssim": ("밝기 SSIM", "확대한 시험 이미지와 원본의 밝기에서 잰 구조적 유사도입니다."),
    "nats_per_character": ("글자당 nat", "시험 글의 글자 하나에 드는 음의 로그 확률입니다."),
    "perplexity": ("혼란도", "다음 글자를 고를 때 남는 선택지의 수에 해당합니다."),
}
"""Figures that a page shows: their headings, and what they mean."""

UNITS = {"nats": "nat", "bits": "비트", "dB": "dB", "": ""}
